"""The only folder that imports dagster: what runs in which order, and what a person sees of it.

Assets are thin: each calls one function of a room. Nothing here reads evidence, judges a control or renders a report.
"""
