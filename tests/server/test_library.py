"""Which versions are served, when a folder fills, changes and breaks; models are stand-ins here."""

import asyncio

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.server import library
from rnnsuite.server.library import Library, VersionPolicy, read_policies
from rnnsuite.server.status import RequestError


class Stand:
    """A servable that is its folder's file `content`; "broken" does not load."""

    closed: list[tuple[str, int]] = []

    def __init__(self, name, version, folder, threads):
        self.name = name
        self.version = version
        self.content = (folder / "content").read_text()
        if self.content == "broken":
            raise OSError("no graph")

    def close(self):
        self.closed.append((self.name, self.version))


@pytest.fixture
def stands(monkeypatch):
    monkeypatch.setattr(library, "Servable", Stand)
    monkeypatch.setattr(Stand, "closed", [])
    return Stand


def put(folder, name, version, content="good"):
    place = folder / name / str(version)
    place.mkdir(parents=True, exist_ok=True)
    (place / "content").write_text(content)


async def unloaded(stands, *expected):
    for _ in range(100):
        if sorted(stands.closed) == sorted(expected):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"closed: {stands.closed}")


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (VersionPolicy(), {9}),
        (VersionPolicy(latest=2), {5, 9}),
        (VersionPolicy(latest=0), {1, 5, 9}),
        (VersionPolicy(latest=7), {1, 5, 9}),
        (VersionPolicy(specific=(1, 9, 4)), {1, 9}),
    ],
)
def test_a_policy_chooses_versions(policy, wanted):
    assert policy.wanted([1, 5, 9]) == wanted


def test_policies_are_read_from_a_models_config(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(
        'model_config_list { config { name: "a" model_version_policy { specific { versions: 3 '
        'versions: 4 } } version_labels { key: "stable" value: 3 } } '
        'config { name: "b" model_version_policy { all {} } } '
        'config { name: "c" model_version_policy { latest { num_versions: 2 } } } '
        'config { name: "d" } }'
    )
    assert read_policies(path) == {
        "a": VersionPolicy(specific=(3, 4), labels={"stable": 3}),
        "b": VersionPolicy(latest=0),
        "c": VersionPolicy(latest=2),
        "d": VersionPolicy(),
    }


@pytest.mark.parametrize("content", [b"nonsense {", b"\xff\xfe", None])
def test_what_is_no_models_config_is_named(tmp_path, content):
    path = tmp_path / "models.config"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"models\.config is no models config"):
        read_policies(path)


def test_a_new_version_replaces_the_old_one_when_nobody_uses_it(tmp_path, stands):
    async def story():
        put(tmp_path, "a", 1)
        served = Library(tmp_path)
        await served.start()
        put(tmp_path, "a", 2)
        await served.refresh()
        # Files that were not there at the last look may still be growing.
        assert set(served.models["a"]) == {1}
        with served.use("a") as old:
            await served.refresh()
            assert set(served.models["a"]) == {2}
            assert old.servable.version == 1
            assert stands.closed == []
            assert [each["state"] for each in served.status("a")] == ["AVAILABLE", "UNLOADING"]
        await unloaded(stands, ("a", 1))
        served.close()
        assert sorted(stands.closed) == [("a", 1), ("a", 2)]

    asyncio.run(story())


def test_a_broken_version_leaves_the_old_one_and_is_tried_again(tmp_path, stands):
    async def story():
        put(tmp_path, "a", 1)
        served = Library(tmp_path)
        await served.start()
        put(tmp_path, "a", 2, "broken")
        await served.refresh()
        await served.refresh()
        assert set(served.models["a"]) == {1}
        end = served.status("a", 2)[0]
        assert end["state"] == "END"
        assert "no graph" in end["status"]["error_message"]
        put(tmp_path, "a", 2, "mended")
        await served.refresh()
        await served.refresh()
        assert set(served.models["a"]) == {2}
        assert served.failed == {}

    asyncio.run(story())


def test_a_version_that_is_deleted_goes_when_another_is_there(tmp_path, stands):
    async def story():
        put(tmp_path, "a", 1)
        put(tmp_path, "a", 2, "broken")
        served = Library(tmp_path, policies={"a": VersionPolicy(latest=0)})
        await served.start()
        assert set(served.models["a"]) == {1}
        (tmp_path / "a" / "2" / "content").unlink()
        (tmp_path / "a" / "2").rmdir()
        await served.refresh()
        assert served.failed == {}
        assert [each["version"] for each in served.status("a")] == ["1"]

    asyncio.run(story())


def test_versions_are_found_by_number_label_and_as_the_newest(tmp_path, stands):
    async def story():
        for version in (1, 2, 3):
            put(tmp_path, "a", version)
        policy = VersionPolicy(specific=(1, 3), labels={"stable": 1, "canary": 3})
        served = Library(tmp_path, policies={"a": policy}, prepare=lambda stand: stand.content)
        await served.start()
        for which, version in [((None, None), 3), ((1, None), 1), ((None, "stable"), 1)]:
            with served.use("a", *which) as loaded:
                assert loaded.servable.version == version
                assert loaded.about == "good"
                assert loaded.users == 1
            assert loaded.users == 0
        assert [each["version"] for each in served.status("a", label="canary")] == ["3"]
        for which in [(2, None), (None, "beta")]:
            with pytest.raises(RequestError), served.use("a", *which):
                raise AssertionError("there is no such version")
        with pytest.raises(RequestError, match="Could not find version 2 of model a"):
            served.status("a", 2)
        with pytest.raises(RequestError, match="any versions of model b"):
            served.status("b")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "has no model that can be served: it has no"), (("sentimnt",), "'sentimnt'")],
)
def test_nothing_to_serve_is_said_at_the_start(tmp_path, stands, names, said):
    with pytest.raises(UserError, match=said):
        asyncio.run(Library(tmp_path / "absent", names).start())


def test_only_the_models_that_were_asked_for(tmp_path, stands):
    put(tmp_path, "a", 1)
    put(tmp_path, "b", 1)
    put(tmp_path, ".hidden", 1)
    served = Library(tmp_path, ("b",))
    asyncio.run(served.start())
    assert set(served.models) == {"b"}
