"""What did not hold."""

failures = []


def expect(holds, words):
    if not holds:
        failures.append(words)
        print(f"FAILED: {words}", flush=True)
