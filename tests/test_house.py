"""What stands around the code: changelog, policy, citation, notices and templates say what is so."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from public import MODULES

import ganzoo

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
PAGES = ["CHANGELOG.md", "CONTRIBUTING.md", "THIRD_PARTY_NOTICES.md", "docs/hooks.md", "docs/policy.md"]


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def changes() -> dict[str, str]:
    """What the changelog says, by the heading of a version, in order."""
    _, *parts = re.split(r"^## (.*)\n", text("CHANGELOG.md"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_the_changelog_has_this_version_and_keeps_the_form() -> None:
    first, *versions = changes()
    assert first == "Unreleased"
    dated = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})", version) for version in versions]
    assert all(dated), f"a version is headed '1.2.3 - 2026-01-31': {versions}"
    numbers = [Version(version.partition(" ")[0]) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True), "the newest comes first"
    assert Version(PROJECT["version"]) in numbers
    for version, said in changes().items():
        _, *parts = re.split(r"^### (.*)\n", said, flags=re.MULTILINE)
        assert parts[::2] == [group for group in GROUPS if group in parts[::2]], (
            f"{version}: one of each, in this order"
        )
        assert all(re.search(r"^- \S", part, re.MULTILINE) for part in parts[1::2]), f"{version} has an empty group"


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text(page)):
        if not target.startswith("https://"):
            assert ((REPOSITORY / page).parent / target).exists(), target


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert f"## {citation['version']} - {citation['date-released']}" in text("CHANGELOG.md")


def test_notices_say_what_lies_beside_the_data_and_come_with_the_package() -> None:
    notices = " ".join(text("THIRD_PARTY_NOTICES.md").split())
    beside = sorted((REPOSITORY / "plugins").glob("*/LICENSE.md"))
    assert beside
    for file in beside:
        said = " ".join(file.read_text(encoding="utf-8").split())
        assert file.parent.name in notices
        for fact in re.findall(
            r"https://creativecommons\.org/\S+|[\d,]{5,} emojis|17\.0\.0|Christopher J\. C\. Burges", said
        ):
            assert fact in notices, f"{file.parent.name}: {fact}"
    assert {"LICENSE", "THIRD_PARTY_NOTICES.md"} <= set(PROJECT["license-files"])


def test_the_policy_says_what_is_so() -> None:
    policy = text("docs/policy.md")
    for name in MODULES:
        assert f"`{name}" in policy, f"{name} is public"
    rows = dict(re.findall(r"^\| (\w+) \| ([\d.]+) or newer \|", policy, re.MULTILINE))
    needed = {"Python": PROJECT["requires-python"]} | {
        found[1]: found[2]
        for word in PROJECT["dependencies"]
        if (found := re.match(r"(torch|torchvision)(>=.*)", word))
    }
    assert {name: SpecifierSet(f">={least}") for name, least in rows.items()} == {
        name: SpecifierSet(least) for name, least in needed.items()
    }


def test_a_run_folder_of_an_earlier_version_is_read_by_names(runs: Path, tmp_path: Path) -> None:
    """As the policy says: an option that was not there yet takes its default, and one that is unknown is named."""
    folder = tmp_path / "old"
    shutil.copytree(runs / "dcgan", folder)
    config = json.loads((folder / "config.json").read_text())
    del config["keep_every"], config["callback"]
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "status.json").unlink()
    assert ganzoo.load(folder).generate(1).shape == (1, 1, 16, 16)
    config["gan"]["from_the_future"] = 1
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ganzoo.UserError, match="from_the_future"):
        ganzoo.load(folder)


@pytest.mark.parametrize("name", ["bug", "feature", "gan"])
def test_a_form_for_issues_asks_for_what_is_needed(name: str) -> None:
    form = yaml.safe_load(text(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert {"name", "description", "body"} <= form.keys()
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in asked}) == len(asked)
    assert all(part["attributes"]["label"] for part in asked)
    assert any(part.get("validations", {}).get("required") for part in asked)


def test_ci_runs_what_a_contributor_can_run() -> None:
    workflow = yaml.safe_load(text(".github/workflows/ci.yml"))
    steps = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in steps
    assert (REPOSITORY / ".ci" / "run").exists() or not (REPOSITORY / ".git").exists()
    assert workflow["permissions"] == {"contents": "read"}


def test_ci_runs_every_tier_of_tests() -> None:
    settings = tomllib.loads(text("pyproject.toml"))["tool"]["pytest"]["ini_options"]
    rest = " or ".join(marker.partition(":")[0] for marker in settings["markers"])
    assert f"-m 'not ({rest})'" in settings["addopts"]
    for file in (".github/workflows/ci.yml", "CONTRIBUTING.md", ".ci/run"):
        if file != ".ci/run" or (REPOSITORY / ".git").exists():  # an archive of the sources has none
            assert f'pytest -m "{rest}"' in text(file), file


def test_ci_tests_every_version_of_python_that_is_promised() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    promised = {line.rpartition(" ")[2] for line in project["classifiers"] if line.count("::") == 2 and "3." in line}
    jobs = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"].values()
    tested = {version for job in jobs for version in job.get("strategy", {}).get("matrix", {}).get("python", [])}
    setups = (step["with"] for job in jobs for step in job["steps"] if "python-version" in step.get("with", {}))
    tested |= {setup["python-version"] for setup in setups if "$" not in setup["python-version"]}
    assert promised == tested


def test_hooks_of_pre_commit_are_of_the_environment() -> None:
    config = yaml.safe_load(text(".pre-commit-config.yaml"))
    [local] = config["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    assert {"ruff-check", "ruff-format", "mypy"} <= {hook["id"] for hook in local["hooks"]}
