"""What the perplexity distance says of texts of other kinds than a language model has read.

A GPT-2 of two layers is trained from nothing on the headlines of AG News (1,400 texts, a vocabulary
of 2,000 pieces), and its distance from texts that it never saw is printed: headlines of the test
split, film reviews, messages, questions, tweets, Python code, German. The levels of
`transferscore.distances.perplexity` were set on this table. By hand:
`pytest tests/benchmarks/bench_perplexity.py -m bench -s`.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import json
import platform
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from transferscore.distances import perplexity_distance
from transferscore.encoders import HfEncoder, token_losses

pytestmark = pytest.mark.bench

TEXTS = Path(__file__).parents[3] / "shared" / "zoo" / "datasets" / "text"
STEPS, BATCH, LONGEST, SEEDS = 400, 32, 64, (0, 1, 2)
GERMAN = [
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und "
    "Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "Jeder hat Anspruch auf die in dieser Erklärung verkündeten Rechte und Freiheiten ohne "
    "irgendeinen Unterschied, etwa nach Rasse, Hautfarbe, Geschlecht, Sprache, Religion.",
    "Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person. Niemand darf in Sklaverei "
    "oder Leibeigenschaft gehalten werden; Sklavenhandel in allen seinen Formen ist verboten.",
    "Jeder hat das Recht, überall als rechtsfähig anerkannt zu werden. Alle Menschen sind vor dem "
    "Gesetz gleich und haben ohne Unterschied Anspruch auf gleichen Schutz durch das Gesetz.",
]


@pytest.mark.skipif(not TEXTS.is_dir(), reason=f"the texts of the zoo are not at {TEXTS}")
def test_how_far_texts_lie_from_headlines(tmp_path):
    print(f"\n{platform.processor() or platform.machine()}, torch {torch.__version__}")
    folders = {}
    for seed in SEEDS:
        folders[seed] = tmp_path / str(seed)
        print(f"seed {seed}: trained in {trained(folders[seed], seed):.0f} s")
    near = []
    for name, texts in kinds().items():
        found = [
            perplexity_distance(token_losses(HfEncoder(str(folder)), texts))
            for folder in folders.values()
        ]
        values = " ".join(f"{one.value:.3f}" for one in found)
        levels = ", ".join(dict.fromkeys(one.level for one in found))
        print(f"{name:<15} {values}  {levels}  ({found[0].n_tokens} tokens)")
        near.append(max(one.value for one in found))
    assert near[0] == min(near)


def kinds() -> dict[str, list[str]]:
    tweets = (TEXTS / "wnut17_ner.jsonl").read_text(encoding="utf-8").splitlines()
    blocks = (" ".join(block.split()) for block in inspect.getsource(argparse).split("\n\n"))
    return {
        "headlines": column("ag_news", "test"),
        "film reviews": column("sst2", "test"),
        "questions": column("trec6", "test"),
        "messages": column("sms_spam", "test"),
        "tweets": [" ".join(json.loads(line)["tokens"]) for line in tweets],
        "Python code": [block for block in blocks if len(block) > 40],
        "German": GERMAN,
    }


def column(name: str, split: str) -> list[str]:
    with (TEXTS / f"{name}.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["text"] for row in rows if row["split"] == split]


def trained(folder: Path, seed: int) -> float:
    """Train and save the model; how many seconds that took."""
    began = time.perf_counter()
    texts = column("ag_news", "train")
    tokens = tokenizer(texts)
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=len(tokens), n_embd=128, n_layer=2, n_head=4, n_positions=128
    )
    model = transformers.GPT2LMHeadModel(config).train()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.1)
    for _ in range(STEPS):
        chosen = [texts[i] for i in torch.randint(0, len(texts), (BATCH,)).tolist()]
        batch = tokens(
            chosen, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        hidden = batch["attention_mask"] == 0
        model(**batch, labels=batch["input_ids"].masked_fill(hidden, -100)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    model.eval().save_pretrained(folder)
    tokens.save_pretrained(folder)
    return time.perf_counter() - began


def tokenizer(texts: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    pieces = Tokenizer(models.BPE(unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=["[PAD]", "[UNK]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", model_max_length=128
    )
