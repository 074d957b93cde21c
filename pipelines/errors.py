"""The errors a person can mend, each one line: what, where, what was expected, what to do next.

Anything else that is raised is our bug and keeps its traceback.
"""


class UpheldError(Exception):
    """Base of every error whose message is meant for a person."""


class UserMistake(UpheldError):
    """The command or configuration asks for something impossible. Exit status 2."""


class UnreadableFile(UpheldError):
    """An evidence file can't be read at all; it is registered as rejected and the run goes on. Exit status 1."""


class BrokenEvidence(UpheldError):
    """A ledger entry, an original or a bundle is not what the ledger says. Exit status 1."""


class NotKept(UpheldError):
    """A landing file could not be taken in this time (it is still growing, say); it stays where it is and the
    next run tries again. Nothing is registered, because its bytes are not known. Exit status 1."""
