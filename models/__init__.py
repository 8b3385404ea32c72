"""Target models: embedded and OpenAI-compatible; the answer store; spending."""
