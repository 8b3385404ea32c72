"""What the benchmarks measured of each strategy: their result files, read for its page.

Each benchmark writes one file here, ``NAME.json`` (``corpus``, ``formats``, ``frontier``,
``speed``), from a fresh run; none is written by hand::

    {
      "benchmark": "corpus",
      "date": "2026-11-25",
      "command": "python benchmarks/corpus.py --data FOLDER --json FILE",
      "about": "One sentence: what was run on what data, which model or tokenizer, n.",
      "effects": [
        {"strategy": "whitespace", "text": "One sentence with its numbers, n and interval."},
        {"strategy": "sentences:rate=0.25", "text": "Another one."}
      ]
    }

``strategy`` is a name of the registry, with parameters where they differ from the defaults; what
was measured of a chain (joined by ``+``) stands on the page of each of its strategies. ``text`` is
a whole sentence in plain words, made by the benchmark from what it measured, and is printed as it
stands; what is unknown is said in words. A strategy may have several sentences in a file; peers
that are no strategies of costopt have none. ``about`` may be left out. Every other key is the
benchmark's own, such as the ``rows`` of its table, and is not read here.
"""
