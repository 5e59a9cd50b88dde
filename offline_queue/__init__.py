"""The memory: the ledger of every sale, and what still has to reach the acquirer."""
