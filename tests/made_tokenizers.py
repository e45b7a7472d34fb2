"""Tokenizers that do to rendered text what the tokenizers of real models do."""

from __future__ import annotations

from typing import Any

from conftest import _TEXT, CHATML, DIALOGUES, LLAMA

SPECIALS = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
OWN_BOS = "{{ bos_token }}" + CHATML
GENERATION = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}{% else %}"
    "{{ m['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LABELS = (  # nothing special between the lines
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
KINDS = ("bytes", "bos", "bos-eos", "metaspace", "metaspace-always", "merging")
TEMPLATES = {
    "plain": None,
    "chatml": CHATML,
    "own-bos": OWN_BOS,
    "llama": LLAMA,
    "generation": GENERATION,
    "labels": LABELS,
}


def made_tokenizer(kind: str, template: str | None) -> Any:
    """One of `KINDS`.

    ``bos`` and ``bos-eos`` add tokens to every text; the ``metaspace`` ones put a space before it, as
    SentencePiece does; ``merging`` has tokens that reach from a template's text into a reply.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=False))
    text = "".join(m["content"] for record in DIALOGUES for m in record["messages"])
    alphabet: list[str] = sorted(
        {*text, *"".join(_TEXT), *"\n ▁：背景来访者支持userassistantINST[]/0123456789句"}
    )
    if kind.startswith("metaspace"):
        scheme = "always" if kind.endswith("always") else "first"
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
        tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    elif kind != "merging":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    joined = [f"assistant\n{text}\n支持者：{text}\n\nassistant: {text}" for text in _TEXT]
    tokenizer.train_from_iterator(
        [*_TEXT, *joined],
        trainers.BpeTrainer(
            vocab_size=440, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
        ),
    )
    if kind.startswith("bos"):
        end = " </s>" if kind == "bos-eos" else ""
        tokenizer.post_processor = processors.TemplateProcessing(
            f"<s> $A{end}", None, [("<s>", 1), ("</s>", 2)]
        )
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    made.chat_template = template
    return made
