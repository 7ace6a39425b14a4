// Asks nodes for evidence, and issuers for what the policy wants of them. Nothing that comes is believed.

export {};
