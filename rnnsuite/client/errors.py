"""What can go wrong with a request, each with its own name."""

from rnnsuite.core.errors import UserError


class ClientError(UserError):
    """A request that has no answer."""


class RequestRefused(ClientError):
    """The server says that the request is wrong: a name, a type, a shape, a value."""


class ModelMissing(ClientError):
    """The server has no model of that name."""


class VersionMissing(ClientError):
    """The server has the model, but not that version or label."""


class SignatureMissing(ClientError):
    """The model has no such signature."""


class ServerUnavailable(ClientError):
    """No server, or one that cannot take the request now; it was tried again as often as it was
    allowed.
    """


class TimedOut(ClientError):
    """No answer within the time allowed."""


class ServerFailed(ClientError):
    """The server failed, or answered with something that is no answer."""
