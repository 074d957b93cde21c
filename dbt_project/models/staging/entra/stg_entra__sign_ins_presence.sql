{{ log_presence('entra', 'sign_ins', 'occurred', only="coalesce(category, '') in ('', 'SignInLogs', 'NonInteractiveUserSignInLogs', 'ServicePrincipalSignInLogs', 'ManagedIdentitySignInLogs')") }}
