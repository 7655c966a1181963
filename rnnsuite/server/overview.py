"""What a server can be asked, for whoever comes to its address first."""

from typing import Any

from rnnsuite.server import rest
from rnnsuite.server.library import Library
from rnnsuite.server.servable import Servable

EXAMPLE = "What a film."


def describe(library: Library) -> dict[str, Any]:
    """Every model's versions, addresses, signatures, inputs and outputs, of the newest version."""
    models = {}
    for name, servable in _newest(library).items():
        signatures = {
            key: {
                "inputs": list(signature.inputs),
                "optional": list(signature.defaults),
                "outputs": list(signature.outputs),
            }
            for key, signature in servable.signatures.items()
        }
        models[name] = {
            "versions": sorted(library.models[name]),
            "predict": f"/v1/models/{name}:predict",
            "metadata": f"/v1/models/{name}/metadata",
            "signatures": signatures,
        }
    return {"models": models}


def example(library: Library) -> str:
    """Path and options of a request for curl: to a model of texts, or else to the overview."""
    for name, servable in _newest(library).items():
        signature = servable.signatures.get(rest.DEFAULT)
        if signature and list(signature.inputs) == ["text"]:
            body = rest.dump({"instances": [EXAMPLE]}).decode()
            return f"/v1/models/{name}:predict -d '{body}'"
    return "/"


def _newest(library: Library) -> dict[str, Servable]:
    return {
        name: versions[max(versions)].servable
        for name, versions in sorted(library.models.items())
        if versions
    }
