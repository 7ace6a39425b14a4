"""Normative JSON Schemas, shipped unchanged so that achievements are checked without a network.

`ob_v3p0_achievementcredential_schema.json`: Open Badges 3.0 `AchievementCredential`, JSON Schema 2019-09, by 1EdTech
(https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_achievementcredential_schema.json), as distributed
with educredentials/obv3-examples.
"""
