"""What admins say of their own, joined with ours, as cloud-init itself reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import InputError
from raptorctl.model.seed import SEED_DONE, FirstBoot
from raptorctl.render import user_data_accounts
from raptorctl.render.cloud_config import cloud_config
from raptorctl.render.final_message import FINAL, problem
from raptorctl.render.user_data import check, joined
from tests.integration.cloud_init import CloudInit, unpack
from tests.unit.render.test_cloud_config import GUEST, KEY
from tests.unit.render.test_user_data_head import IGNORED, NO_TABS, NOT_OURS, TABS, TAKEN
from tests.unit.render.test_user_data_merge import FINAL as MESSAGES

OURS = cloud_config(FirstBoot(keys=(KEY,)), GUEST)
GUIDE = Path(__file__).parents[2] / "docs/guests.md"
NEWER = frozenset({
    "create_hostname_file", "launch-index", "merge_how", "merge_type", "rpi", "system_info",
    "ubuntu_pro", "output", "version",
})  # fmt: skip
"""Of cloud-init 26.2's schema (schema-cloud-config-v1.json), what Debian 12's has not."""


@pytest.fixture(scope="module")
def cloud_init(tmp_path_factory: pytest.TempPathFactory) -> CloudInit:
    return unpack(tmp_path_factory.mktemp("cloud-init"))


def told(cloud_init: CloudInit, program: str, given: Any) -> Any:
    done = cloud_init.run("-c", program, given=json.dumps(given))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


PARTS = """
import json, sys
from cloudinit import handlers, user_data
kinds = []
for text in json.load(sys.stdin):
    message = user_data.convert_string(text)
    kind = handlers.type_from_starts_with(text.encode())
    told = message.get_content_type() == user_data.NOT_MULTIPART_TYPE
    kinds.append(kind if told else "message")
print(json.dumps(kinds))
"""


def test_it_takes_each_beginning_for_what_we_say_it_does(cloud_init: CloudInit) -> None:
    kinds = told(cloud_init, PARTS, [*TAKEN, *IGNORED, *(text for text, _ in NOT_OURS)])
    assert kinds[: len(TAKEN)] == ["text/cloud-config"] * len(TAKEN)
    assert kinds[len(TAKEN) : -len(NOT_OURS)] == [None] * len(IGNORED)
    assert None not in kinds[-len(NOT_OURS) :]
    assert "text/cloud-config" not in kinds[-len(NOT_OURS) :]


def test_its_reader_takes_the_tabs_that_we_take_and_no_others(cloud_init: CloudInit) -> None:
    program = (
        "import json, sys\nfrom cloudinit import util\n"
        "print(json.dumps([bool(util.load_yaml(t)) for t in json.load(sys.stdin)]))\n"
    )
    assert told(cloud_init, program, TABS + NO_TABS) == [True] * len(TABS) + [False] * len(NO_TABS)


def test_a_config_with_the_word_that_makes_a_message_still_arrives(cloud_init: CloudInit) -> None:
    theirs = "#cloud-config\nwrite_files: [{path: /m, content: 'MIME-Version: 1.0'}]\n"
    program = (
        "import json, sys\nfrom cloudinit import user_data, util\n"
        "whole = user_data.UserDataProcessor({}).process(json.load(sys.stdin))\n"
        "(part,) = [p for p in whole.walk() if not p.is_multipart()]\n"
        "print(json.dumps(util.load_yaml(util.fully_decoded_payload(part))))\n"
    )
    said = told(cloud_init, program, joined(OURS, theirs))
    assert said["users"] == OURS["users"]
    assert said["write_files"][-1] == {"path": "/m", "content": "MIME-Version: 1.0"}


LAST_WORDS = """
import json, logging, sys
from types import SimpleNamespace
from unittest import mock
from cloudinit import util
from cloudinit.config import cc_final_message as module
said = []
for message in json.load(sys.stdin):
    cloud = mock.Mock(paths=SimpleNamespace(boot_finished="/dev/null"))
    cloud.datasource.is_disconnected = False
    with mock.patch.object(util, "multi_log") as written, mock.patch.object(util, "write_file"):
        module.handle("x", {"final_message": message}, cloud, logging.getLogger(), [])
    said.append(written.call_args[0][0] if written.call_args else "")
print(json.dumps(said))
"""


def test_it_ends_with_our_sign_whatever_their_last_words(cloud_init: CloudInit) -> None:
    merged = [joined_message(text) for text in MESSAGES]
    for said in told(cloud_init, LAST_WORDS, [*merged, FINAL]):
        assert said.endswith(f"\n{SEED_DONE}\n")
        assert "${" not in said
        assert "{{" not in said


def test_the_last_words_that_we_leave_out_are_those_that_it_cannot_write(
    cloud_init: CloudInit,
) -> None:
    words = ["up $uptime.", "costs $5", "## template: mako\nup", "up ${UPTIME}", "100 %", "$ x"]
    said = told(cloud_init, LAST_WORDS, words)
    assert [bool(problem(one)) for one in words] == [not one for one in said]


def joined_message(text: str) -> Any:
    return loaded(joined(OURS, f"#cloud-config\n{text}"))["final_message"]


def loaded(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


ACCOUNTS = """
import json, sys
from unittest import mock
from cloudinit.distros import ug_util
made = []
for config in json.load(sys.stdin):
    distro = mock.Mock()
    distro.get_default_user.return_value = {"name": "debian", "groups": ["adm"]}
    try:
        users, groups = ug_util.normalize_users_groups(config, distro)
        made.append({"users": users, "groups": groups})
    except Exception as error:
        made.append(str(error))
print(json.dumps(made))
"""
USERS: list[dict[str, Any]] = [
    {"users": "default,bob"},
    {"users": {"bob": {"gecos": "x"}, "default": True}},
    {"users": ["default", {"name": "alice", "ssh-authorized-keys": ["other"]}]},
    {"user": "alice"},
    {"user": {"name": "alice", "ssh_authorized_keys": ["other"]}},
    {"user": "bob", "users": {}},
    {"groups": ["alice"], "users": [["bob", "eve"]]},
]


def test_it_makes_the_tenants_account_with_its_keys_whatever_the_users(
    cloud_init: CloudInit,
) -> None:
    texts = [joined(OURS, f"#cloud-config\n{json.dumps(one)}\n") for one in USERS]
    made = told(cloud_init, ACCOUNTS, [loaded(text) for text in texts])
    for one in made:
        assert next(iter(one["users"])) == "alice"
        account = one["users"]["alice"]
        assert account["ssh_authorized_keys"][0] == KEY
        assert account["sudo"] == "ALL=(ALL) NOPASSWD:ALL"


UNREAD: list[dict[str, Any]] = [
    {"users": [1]}, {"users": [None]}, {"users": {"bob": None}}, {"users": {"bob": []}},
    {"groups": [["a"]]}, {"groups": {"a": 1}}, {"groups": [{"a": 1}]}, {"groups": 5},
]  # fmt: skip


@pytest.mark.parametrize("said", UNREAD)
def test_what_we_say_it_cannot_read_it_cannot(cloud_init: CloudInit, said: Any) -> None:
    (made,) = told(cloud_init, ACCOUNTS, [said])
    assert isinstance(made, str)
    with pytest.raises(InputError, match="no account"):
        check(f"#cloud-config\n{json.dumps(said)}\n" if "groups" not in said else _groups(said))


def _groups(said: dict[str, Any]) -> str:
    user_data_accounts.groups(said["groups"])
    return ""


def test_it_runs_no_command_where_one_is_none(cloud_init: CloudInit) -> None:
    program = (
        "import json, sys\nfrom cloudinit import util\nsaid = []\n"
        "for commands in json.load(sys.stdin):\n"
        "    try:\n        said.append(util.shellify(commands))\n"
        "    except TypeError:\n        said.append(None)\n"
        "print(json.dumps(said))\n"
    )
    good, *bad = told(cloud_init, program, [[None, "ls", ["a", 1]], [{"a": "b"}], [5], "ls", None])
    assert good == "#!/bin/sh\nls\n'a' '1'\n"
    assert bad == [None] * 4


def test_the_guide_says_of_every_key_of_its_schema_what_counts(cloud_init: CloudInit) -> None:
    program = (
        "import json\nfrom cloudinit.config.schema import get_schema\n"
        "parts = get_schema()['$defs'].items()\n"
        "print(json.dumps([k for n, d in parts for k in d.get('properties', {})"
        " if n.startswith('cc_') or n in ('base_config', 'output_config', 'reporting_config')]))\n"
    )
    keys = {*told(cloud_init, program, None), *NEWER}
    assert len(keys) > 90
    guide = GUIDE.read_text()
    assert [key for key in sorted(keys) if f"`{key}`" not in guide] == []


TEMPLATE = """## template: jinja
#cloud-config
hostname: {{ v1.local_hostname }}-web
runcmd: [[echo, theirs]]
packages: [vim]
"""
RENDERED = """
import json, os, sys, tempfile
from cloudinit import handlers, helpers, user_data
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.jinja_template import JinjaTemplatePartHandler
folder = tempfile.mkdtemp()
os.mkdir(f"{folder}/run")
paths = helpers.Paths({"cloud_dir": folder, "run_dir": f"{folder}/run"})
with open(paths.get_runpath("instance_data_sensitive"), "w") as file:
    json.dump({"v1": {"local_hostname": "alice-dev"}}, file)
config = CloudConfigPartHandler(paths)
known = helpers.ContentHandlers()
known.register(JinjaTemplatePartHandler(paths, sub_handlers=[config]))
known.register(config)
message = user_data.UserDataProcessor(paths).process(json.load(sys.stdin))
data = {"handlers": known, "handlerdir": folder, "data": None, "frequency": "once-per-instance",
        "handlercount": 0, "excluded": []}
handlers.walk(message, handlers.walker_callback, data=data)
print(json.dumps(config.cloud_buf))
"""


def test_a_template_is_rendered_in_the_guest_and_ours_is_merged_into_it(
    cloud_init: CloudInit,
) -> None:
    said = told(cloud_init, RENDERED, joined(OURS, TEMPLATE))
    assert said["hostname"] == "alice-dev-web"
    assert said["runcmd"] == [*OURS["runcmd"], ["echo", "theirs"]]
    assert said["packages"] == ["vim"]
    assert (said["users"], said["final_message"]) == (OURS["users"], FINAL)
