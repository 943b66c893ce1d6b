"""A small tokenizer, trained by a test."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def trained(texts: Iterable[str], vocabulary: int = 400) -> Tokenizer:
    """Pairs of bytes, as GPT-2 has them: every text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made = trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, made)
    return tokenizer


def words(*known: str, unknown: str = "[UNK]") -> Tokenizer:
    """A token for each word between spaces, and one for all words that are not known."""
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *known])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def write_tokenizer(path: pathlib.Path, texts: Iterable[str]) -> pathlib.Path:
    """A trained tokenizer's file."""
    path.write_text(trained(texts).to_str())
    return path
