"""What went wrong with a request, in TensorFlow's codes, and the HTTP status that TF Serving gives
each.
"""

HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "NOT_FOUND": 404,
    "REQUEST_TIMEOUT": 408,  # of HTTP's own: a request that does not come
    "ABORTED": 409,
    "TOO_LARGE": 413,  # of HTTP's own: TF Serving has no bound on bodies
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class RequestError(Exception):
    """A request that gets an error for an answer: `code` is one of HTTP's keys."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    def __reduce__(self):
        return RequestError, (self.code, str(self))

    @property
    def http(self) -> int:
        return HTTP[self.code]


def invalid(message: str) -> RequestError:
    return RequestError("INVALID_ARGUMENT", message)
