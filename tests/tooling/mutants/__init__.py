# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""What mutations.py and random_mutations.py share: faulty copies of the tree."""
