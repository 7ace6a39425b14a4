"""Records a history of the real contract, in which every event occurs, as test vectors: history.json and heads.json.

Times, keys and fees are fixed, so that the same contract always gives the same files. Events are decoded and hashed by
eth_abi from the compiler's ABI; nothing of `anchor` is used but the compiled contract.
"""
