"""Reading dialogue files, and rendering assistant turns through chat templates."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from rapport_tasks.common.errors import (
    AdapterMismatch,
    BadDialogue,
    BadInput,
    Incomplete,
    NotComparable,
    RapportError,
    UnsupportedTemplate,
    close_match,
)
from rapport_tasks.dialogues.dialogue import (
    Dialogue,
    Message,
    read_dialogues,
    select_runnable,
    structure_problem,
)
from rapport_tasks.prompts.rendering import (
    PLAIN_TEMPLATE,
    encode,
    generation_context,
    render_plain,
    tokenizer_renderer,
    turn_prompts,
)

SECRET = "昨晚我又哭了很久"
U = {"role": "user", "content": SECRET}
A = {"role": "assistant", "content": "我在听"}
S = {"role": "system", "content": "你是支持者"}


def dialogue(*messages: dict[str, str]) -> Dialogue:
    return Dialogue("d", tuple(Message(m["role"], m["content"]) for m in messages))


def line(**changes: object) -> str:
    return json.dumps({"id": "a", "messages": [U, A]} | changes, ensure_ascii=False)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "talks.jsonl"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "field", "remedy"),
    [
        (f'{{"id": "b", "messages": [{{"content": "{SECRET}"', "line", "one complete JSON object"),
        (f'["{SECRET}"]', "line", "See the format"),
        (json.dumps({"messages": [U, A]}), "id", "Add"),
        (line(id=""), "id", "Add"),
        (line(id=True), "id", "Add"),
        (line(id=None), "id", "Add"),
        (line(id="a"), "id", "its own id"),
        (json.dumps({"id": "b"}), "messages", "Add"),
        (line(id="b", messages=SECRET), "messages", "Add"),
        (line(id="b", messages=[U, "text"]), "messages[1].role", "system, user, assistant"),
        (line(id="b", messages=[U, A | {"role": "asistant"}]), "messages[1].role", "'assistant'?"),
        (line(id="b", messages=[U, A | {"content": 3}]), "messages[1].content", "as a string"),
        (line(id="b", messages=[U, {"role": "user"}]), "messages[1].content", "as a string"),
        ('{"id": "b", "messages": [{"role": "user", "content": "\\ud83d"}]}',
         "messages[0].content", "surrogate pair"),
        (line(id="b", domain=[SECRET]), "domain", "string"),
        (line(id="b", crisis="no"), "crisis", "true or false"),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_with_file_line_field_and_remedy(file, bad, field, remedy):
    path = file(f"{line()}\n\n{bad}\n")
    with pytest.raises(BadDialogue) as caught:
        read_dialogues(path)
    error = caught.value
    assert str(error).startswith(f"{path}:3: {field}: ")
    assert (error.path, error.line, error.field) == (path, 3, field)
    assert remedy in error.remedy
    assert SECRET not in str(error) + error.remedy


def test_swapped_role_and_content_are_refused_without_quoting_the_text(file):
    with pytest.raises(BadDialogue) as caught:
        read_dialogues(file(line(messages=[{"role": SECRET, "content": "user"}])))
    assert SECRET not in str(caught.value) + caught.value.remedy


@pytest.mark.parametrize("escaped", ['"id": "\\ud800"', '"id": "a", "domain": "\\ud800"'])
def test_unpaired_surrogates_are_refused_wherever_they_would_be_written_again(file, escaped):
    with pytest.raises(BadDialogue):
        read_dialogues(file(f'{{{escaped}, "messages": []}}'))


@pytest.mark.parametrize("bad", ['{"id": "a", "n": ' + "9" * 5000 + "}", "[" * 200_000])
def test_json_beyond_the_parsers_limits_is_refused_like_other_bad_json(file, bad):
    with pytest.raises(BadDialogue):
        read_dialogues(file(bad))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no dialogue"), (b"\n \r\n", "no dialogue"), (b'{"id": "\xff"}', "not UTF-8 (byte 8)")],
)
def test_a_file_without_dialogues_is_refused(file, content, message):
    with pytest.raises(BadInput, match=r"talks\.jsonl") as caught:
        read_dialogues(file(content))
    assert message in str(caught.value)
    assert caught.value.remedy


def test_a_missing_file_names_the_nearest_one(file, tmp_path):
    file(line())
    with pytest.raises(BadInput, match="no such file") as caught:
        read_dialogues(tmp_path / "talk.jsonl")
    assert "'talks.jsonl'?" in caught.value.remedy
    with pytest.raises(BadInput, match="directory"):
        read_dialogues(tmp_path)


def test_byte_order_mark_windows_lines_and_a_missing_last_newline_are_accepted(file):
    text = f"{line(id=1)}\r\n\r\n{line(id='2')}"
    assert [d.id for d in read_dialogues(file(b"\xef\xbb\xbf" + text.encode()))] == ["1", "2"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b\x0c"])
def test_unicode_line_separators_inside_a_string_do_not_end_the_line(file, separator):
    content = f"前{separator}后"
    escaped = line(messages=[{"role": "user", "content": content}])
    assert read_dialogues(file(escaped))[0].messages[0].content == content
    if separator > "\x1f":  # JSON wants control characters escaped
        assert separator in escaped


@pytest.mark.parametrize("key", ["domain", "topic"])
def test_optional_keys_are_read_and_survive_a_round_trip(file, key):
    [read] = read_dialogues(file(line(**{key: "家庭"}, crisis=True, language="zh", other=[1])))
    assert (read.domain, read.crisis, read.messages[1]) == (
        "家庭",
        True,
        Message("assistant", "我在听"),
    )
    assert Dialogue.from_json(read.to_json()) == read
    [plain] = read_dialogues(file(line()))
    assert (plain.domain, plain.crisis) == (None, False)


# --- which dialogues can be run ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([], "no_messages"),
        ([U], "no_assistant_turn"),
        ([S], "no_assistant_turn"),
        ([S, U], "no_assistant_turn"),
        ([U, A | {"content": " \n\u3000"}], "blank_message"),
        ([U, U, A], "roles_do_not_alternate"),
        ([U, A, A], "roles_do_not_alternate"),
        ([A, U, A], "starts_with_assistant"),
        ([S, A], "starts_with_assistant"),
        ([U, S, A], "system_not_first"),
        ([S, S, U, A], "system_not_first"),
        ([U, A], None),
        ([S, U, A], None),
        ([U, A, U], None),
        ([U, A, U, A], None),
    ],
)
def test_structure_of_a_dialogue_that_can_be_run(messages, problem):
    assert structure_problem(dialogue(*messages)) == problem


def test_what_cannot_be_run_is_counted_by_reason():
    good = dialogue(U, A)
    runnable, skipped = select_runnable([dialogue(), good, dialogue(U), dialogue(S), good])
    assert runnable == [good, good]
    assert skipped == {"no_messages": 1, "no_assistant_turn": 2}


def test_turns_and_the_user_message_they_answer():
    talk = dialogue(S, U, A, U | {"content": "第二句"}, A)
    assert talk.assistant_turns() == [2, 4]
    assert [talk.last_user(turn) for turn in (0, 1, 2, 4)] == ["", "", SECRET, "第二句"]


# --- rendering ---------------------------------------------------------------------------------

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_2 = (  # a space before the reply, roles checked, no system message
    "{% for m in messages %}{% if m.role != ('user' if loop.index0 % 2 == 0 else 'assistant') %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{{ '<s>[INST] ' + m.content + ' [/INST]' if m.role == 'user' else ' ' + m.content + ' </s>' }}"
    "{% endfor %}"
)
TRIMMING = CHATML.replace("m.content", "m.content | trim")
UNTERMINATED = (
    "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
LAST_ONLY = (  # shows earlier replies in a summary only
    "{% for m in messages[-2:] %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
MARKS_LAST = (  # as long as before, but not the same
    "{% for m in messages %}{% if m.role == 'user' %}{{ '<now>' if loop.last else '<old>' }}"
    "{% endif %}{{ m.content }}{% endfor %}"
)
SHOUTING = CHATML.replace("m.content", "m.content | upper")


def tokenizer(template: str | None = None) -> PreTrainedTokenizerFast:
    """One token a whitespace-free word; writes its own BOS."""
    words = Tokenizer(models.WordLevel({"<unk>": 0, "<s>": 1, "a": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.add_special_tokens(["<s>"])
    words.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 1)])
    made = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", unk_token="<unk>")
    made.chat_template = template
    return made


TALK = dialogue(
    {"role": "user", "content": "我很累"},
    {"role": "assistant", "content": "辛苦了"},
    {"role": "user", "content": "睡不着 <b>"},
    {"role": "assistant", "content": "能 <b>多说</b>\n一点吗？"},
    {"role": "user", "content": "好"},
)


@pytest.mark.parametrize("generate", [True, False])
@pytest.mark.parametrize("messages", [[U], [S, U, A], [U, A | {"content": "  两行\n\n<|x|> "}, U]])
def test_the_plain_template_and_its_python_twin_give_the_same_bytes(messages, generate):
    through = tokenizer(None)
    assert tokenizer_renderer(through)(messages, generate) == render_plain(messages, generate)
    assert tokenizer_renderer(tokenizer(PLAIN_TEMPLATE))(messages, generate) == render_plain(
        messages, generate
    )


@pytest.mark.parametrize(
    ("template", "lead", "end"),
    [
        (CHATML, "", "<|im_end|>"),
        (LLAMA_2, " ", " </s>"),
        (TRIMMING, "", "<|im_end|>"),
        (UNTERMINATED, "", "\n"),
        (None, "", "\n"),
    ],
    ids=["chatml", "llama-2", "trimming", "unterminated", "plain"],
)
def test_every_assistant_turn_is_read_back_from_the_template(template, lead, end):
    render = tokenizer_renderer(tokenizer(template))
    prompts = turn_prompts(TALK, render)
    assert [p.turn for p in prompts] == [1, 3]
    for prompt in prompts:
        history = TALK.to_json()["messages"][: prompt.turn]
        assert (
            prompt.context == render(history, True) == generation_context(TALK, prompt.turn, render)
        )
        assert prompt.continuation == lead + TALK.messages[prompt.turn].content + end
        assert prompt.end_of_turn == end
    # Each request is a prefix of the next context, which is what lets one pass answer them all.
    assert prompts[1].context.startswith(prompts[0].context + prompts[0].continuation)


def test_a_trimming_template_scores_the_trimmed_reply():
    padded = dialogue(U, A | {"content": "  我在听 \n"})
    [trimmed] = turn_prompts(padded, tokenizer_renderer(tokenizer(TRIMMING)))
    assert trimmed.continuation == "我在听<|im_end|>"
    [kept] = turn_prompts(padded, tokenizer_renderer(tokenizer(CHATML)))
    assert kept.continuation == "  我在听 \n<|im_end|>"


@pytest.mark.parametrize(
    ("template", "talk"),
    [
        (LAST_ONLY, dialogue(U, A, U, A)),
        (MARKS_LAST, dialogue(U, A)),
        (SHOUTING, dialogue(U, A | {"content": "I hear you"})),
        (LLAMA_2, dialogue(S, U, A)),
    ],
    ids=["drops-history", "rewrites-history", "rewrites-replies", "refuses-system"],
)
def test_templates_that_hide_the_reply_are_refused(template, talk):
    with pytest.raises(UnsupportedTemplate, match="'d'") as caught:
        turn_prompts(talk, tokenizer_renderer(tokenizer(template)))
    assert caught.value.remedy
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("text", "ids"), [("a a", (1, 2, 2)), ("<s>a a", (1, 2, 2)), ("", (1,))])
def test_one_bos_at_most(text, ids):
    assert encode(tokenizer(), text) == ids


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parent", "code"),
    [
        (BadInput, RapportError, 2),
        (BadDialogue, BadInput, 2),
        (UnsupportedTemplate, BadInput, 2),
        (AdapterMismatch, BadInput, 2),
        (NotComparable, RapportError, 3),
        (Incomplete, RapportError, 4),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind, parent, code):
    assert issubclass(kind, parent)
    assert kind.exit_code == code


def test_an_error_carries_its_remedy_and_kind():
    error = NotComparable("x differs", remedy="Run again.")
    assert (str(error), error.remedy, error.kind) == ("x differs", "Run again.", "NotComparable")
    assert close_match("gredy", ["greedy", "beam"]) == "Did you mean 'greedy'? "
    assert close_match("zzz", ["greedy", "beam"]) == ""
