"""Who speaks: the names that corpora give to the help-seeker, to the counsellor and to the prompt."""

from __future__ import annotations

import re
from typing import Any

from rapport_tasks.dialogues.dialogue import Role

_USER = (
    "user usr human client seeker helpseeker patient visitor caller questioner asker "
    "来访者 来访 求助者 咨询者 用户 倾诉者 患者 病人 提问者 来询者 咨客 当事人"
)
_ASSISTANT = (
    "assistant gpt chatgpt bot chatbot counselor counsellor therapist supporter helper doctor "
    "psychologist psychiatrist "
    "心理咨询师 咨询师 支持者 助手 倾听者 倾听师 治疗师 心理治疗师 心理医生 医生 心理师 心理专家 "
    "回答者 咨询员 治疗者 辅导员 机器人"
)
_USER_VALUES = "speaker owner 学生 问 提问"
_ASSISTANT_VALUES = "listener audience responder sys ai model agent expert coach 老师 专家 答 回答"
"""Names that say who speaks as the value of a role, but are other things too as a key or a label."""


def _table(user: str, assistant: str) -> dict[str, Role]:
    names: dict[str, Role] = dict.fromkeys(user.split(), "user")
    return names | dict.fromkeys(assistant.split(), "assistant")


LABELS: dict[str, Role] = _table(_USER, _ASSISTANT)
"""Names that tell the speaker wherever they stand: as a value, a key, or before a colon."""

_VALUES: dict[str, Role] = {
    **LABELS,
    **_table(_USER_VALUES, _ASSISTANT_VALUES),
    **dict.fromkeys(("system", "系统"), "system"),
}
_JOINTS = re.compile(r"[\s_-]+")
_NUMBER = re.compile(r"\d+$")


def folded(name: Any) -> str:
    """A key or a role as it is looked up: lower case, without blanks, hyphens and underscores."""
    return _JOINTS.sub("", str(name)).lower()


def role_of(value: Any) -> Role | None:
    """The role that the value of ``role`` or ``from`` means, or `None`."""
    return _VALUES.get(folded(value)) if isinstance(value, str) else None


def role_of_key(key: str) -> Role | None:
    """The role that a key such as ``来访者`` or ``counselor_2`` means, or `None`."""
    return LABELS.get(_NUMBER.sub("", folded(key)))
