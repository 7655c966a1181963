"""Puts applications and configurations into the package when it is built.

In the source tree they lie beside it, in `apps/` and `configs/`. Installed, nothing of ours may
claim the top-level name `apps`: they become `rnnsuite.apps` and `rnnsuite/configs`. Everything else
stands in setup.cfg.
"""

import setuptools

OWN = setuptools.find_packages(include=["rnnsuite", "rnnsuite.*"])
APPS = ["rnnsuite.apps", *(f"rnnsuite.apps.{name}" for name in setuptools.find_packages("apps"))]

setuptools.setup(
    packages=[*OWN, *APPS, "rnnsuite.configs"],
    package_dir={"rnnsuite.apps": "apps", "rnnsuite.configs": "configs"},
    package_data={
        "rnnsuite": ["py.typed"],
        "rnnsuite.demo": ["web/*", "templates/*"],
        "rnnsuite.device": ["js/*.mjs", "litert/*", "litert/*/*", "litert/*/*/*"],
        "rnnsuite.layers.scan.native": ["*.h", "*.cc"],
        "rnnsuite.new": ["templates/*/*", "templates/*/configs/*"],
        "rnnsuite.pipeline.export": ["litertjs.mjs"],
        "rnnsuite.pipeline.inference": ["report.html"],
        "rnnsuite.apps": ["*/README.md", "*/page.mjs"],
        "rnnsuite.configs": ["*/*.yaml"],
        "rnnsuite.deploy": ["templates/*.yml", "templates/*/*", "templates/*/*/*"],
    },
)
