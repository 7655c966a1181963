"""TF Serving's REST interface for a laptop and for tests, on an ASGI server. Knows no application,
only SavedModels.
"""
