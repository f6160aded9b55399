"""What citizens type finds what they mean, best first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from mpp_catalog.search import QUERY_WORDS, best, fold, line, query_words, score, tokens

KK = line("Kartu Keluarga (KK) karena perubahan data", "Family card, changed data", ["kk", "kartu keluarga"])
KIA = line("Kartu Identitas Anak (KIA)", "Child identity card", ["kia"])
MOVE = line("Surat pindah", "Moving letter", ["pindah kartu keluarga jauh"])


def test_folding_strips_case_accents_and_signs() -> None:
    assert fold("Akta  Kelahiran/É-KTP (baru)!") == ["akta", "kelahiran", "e", "ktp", "baru"]
    assert fold("") == []


def test_a_word_is_found_whole_and_by_its_beginnings_of_three_letters() -> None:
    index = tokens(["Kartu KK"], ["paspor"], "Dinas")
    assert {"kartu", "kar", "kart", "kk", "paspor", "pas", "dinas", "din"} <= set(index)
    assert "ka" not in index
    assert {"=kartu", "=kk", "=paspor"} <= set(index)
    assert "=dinas" not in index
    assert index == sorted(set(index))


@given(st.text(max_size=60))
def test_each_word_of_a_text_finds_that_text(text: str) -> None:
    index = set(tokens([text], [], ""))
    for word in query_words(text):
        assert word in index
        assert all(word[:n] in index for n in range(3, len(word)))


@given(st.text(max_size=200))
def test_a_query_has_few_different_words(text: str) -> None:
    words = query_words(text)
    assert len(words) == len(set(words)) <= QUERY_WORDS


def test_the_exact_name_or_alias_comes_first() -> None:
    found = best(["kartu", "keluarga"], {"kia": KIA, "kk": KK, "move": MOVE}, 10)
    assert found[0] == "kk"
    assert best(["kia"], {"kk": KK, "kia": KIA}, 1) == ["kia"]


def test_a_whole_word_counts_more_than_a_beginning_and_the_name_more_than_the_agency() -> None:
    assert score(["pindah"], MOVE) > score(["pin"], MOVE) > score(["dinas"], MOVE)


def test_equal_scores_have_one_order() -> None:
    assert best(["kartu"], {"b": KK, "a": KK}, 2) == best(["kartu"], {"a": KK, "b": KK}, 2) == ["a", "b"]


@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.text(min_size=1, max_size=10), max_size=3))
def test_a_name_and_an_alias_answer_themselves_best(name: str, english: str, aliases: list[str]) -> None:
    of = line(name, english, aliases)
    for text in (name, english, *aliases):
        words = fold(text)
        if words:
            assert score(words, of) >= 40


def test_an_alias_is_not_found_across_two_of_them() -> None:
    of = line("Pindah", "", ["kartu keluarga", "jauh"])
    assert score(["keluarga", "jauh"], of) < 40 <= score(["kartu", "keluarga"], of)
