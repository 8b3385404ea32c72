"""Target models: embedded, OpenAI-compatible, hosted; the answer store; spending."""
