// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Errors of the credential registry: what was refused, with the values that say why
interface IRegistryErrors {
    /* ACCREDITATION */

    /// @notice Thrown when the registry is deployed with an accreditor that nobody can be.
    error InvalidAccreditor(address accreditor);

    /// @notice Thrown when a DID does not start with `did:` (an empty one does not).
    error InvalidDid(string did);

    /// @notice Thrown when a DID is longer than `MAX_DID_LENGTH` bytes.
    error DidTooLong(uint256 length, uint256 maxLength);

    /// @notice Thrown when the DID already belongs to an issuer; it does so for ever.
    error DidAlreadyAccredited(bytes32 didHash, uint32 issuer);

    /// @notice Thrown when there is no issuer of this number.
    error UnknownIssuer(uint32 issuer);

    /// @notice Thrown when the issuer's accreditation no longer holds, or did not when the batch was anchored.
    error IssuerWithdrawn(uint32 issuer, uint40 withdrawnAt);

    /// @notice Thrown when an accreditation would end now or in the past: what was done under it stays good.
    error WithdrawalInPast(uint40 withdrawnAt, uint40 timestamp);

    /// @notice Thrown when the end of an accreditation would not move to an earlier time.
    /// @param issuer The issuer.
    /// @param withdrawnAt The time asked for.
    /// @param current The end it has.
    error WithdrawalNotEarlier(uint32 issuer, uint40 withdrawnAt, uint40 current);

    /* CONTROLLER */

    /// @notice Thrown when the proposed controller is the zero address.
    error InvalidController(address controller);

    /// @notice Thrown when the caller is not the issuer's controller.
    error NotController(uint32 issuer, address caller);

    /// @notice Thrown when control is offered to whom it is offered already, or taken back though it is offered to nobody.
    error ControllerOfferUnchanged(uint32 issuer, address controller);

    /// @notice Thrown when control is offered to the controller.
    error AlreadyController(uint32 issuer, address controller);

    /// @notice Thrown when the caller was not offered control of the issuer.
    error NotPendingController(uint32 issuer, address caller);

    /* KEYS */

    /// @notice Thrown when the address is already a key, of this issuer or another.
    error KeyAlreadyBound(address key, uint32 issuer);

    /// @notice Thrown when a scope is neither `SCOPE_ANCHOR` nor `SCOPE_STATUS`.
    error InvalidScope(uint8 scope);

    /// @notice Thrown when the epoch is not 0 for an ANCHOR key, or neither the current nor the next for a STATUS key.
    error InvalidStatusEpoch(uint8 scope, uint16 statusEpoch, uint16 currentEpoch);

    /// @notice Thrown when a key would be valid from a time in the past.
    error ValidFromInPast(uint40 validFrom, uint40 timestamp);

    /// @notice Thrown when the address is the key of no issuer.
    error UnknownKey(address key);

    /// @notice Thrown when a cut-off would not move to an earlier time.
    /// @param key The key.
    /// @param since The cut-off asked for.
    /// @param cutOff The earlier of its end and the time since which it is compromised.
    error CutOffNotEarlier(address key, uint40 since, uint40 cutOff);

    /// @notice Thrown when a key would be compromised since before it was valid.
    error CompromisedBeforeValid(address key, uint40 since, uint40 validFrom);

    /// @notice Thrown when a key would be compromised since a time that is still to come: retire it instead.
    error CompromisedInFuture(address key, uint40 since, uint40 timestamp);

    /// @notice Thrown when an issuer has used up its 65,535 status epochs: retire the key instead.
    error StatusEpochsExhausted(uint32 issuer);

    /// @notice Thrown when the caller is not a key of this issuer.
    /// @param key The caller, or who signed.
    /// @param issuer Issuer it acted for.
    /// @param boundTo Issuer it is a key of; 0 if none.
    error KeyNotOfIssuer(address key, uint32 issuer, uint32 boundTo);

    /// @notice Thrown when the key has the other scope.
    error WrongScope(address key, uint8 scope, uint8 requiredScope);

    /// @notice Thrown when the key is not valid yet.
    error KeyNotYetValid(address key, uint40 validFrom);

    /// @notice Thrown when the key is not valid any more, or what it did was void.
    /// @param key The key.
    /// @param cutOff The earlier of its end and the time since which it is compromised.
    error KeyCutOff(address key, uint40 cutOff);

    /// @notice Thrown when a STATUS key's epoch does not count any more and never will.
    /// @param key The key.
    /// @param epoch The epoch it writes.
    /// @param currentEpoch The epoch that counts; another than the next one cannot be staged.
    error StatusEpochOver(address key, uint16 epoch, uint16 currentEpoch);

    /* SIGNATURES */

    /// @notice Thrown when the key's consent was good only until an earlier time.
    error ConsentExpired(uint40 deadline, uint40 timestamp);

    /// @notice Thrown when the consent is no valid signature of the key over the digest.
    error InvalidConsent(address key, bytes32 digest);

    /// @notice Thrown when a relayed call's signature was good only until an earlier time.
    error SignatureExpired(uint40 deadline, uint40 timestamp);

    /// @notice Thrown when a relayed call's signature is no valid one of the key over the digest.
    error InvalidSignature(address key, bytes32 digest);

    /// @notice Thrown when a relayed call's nonce is not the key's next one.
    error InvalidNonce(address key, uint256 nonce, uint256 nextNonce);

    /// @notice Thrown when the new next nonce is not 1 to `MAX_CANCELLED_NONCES` after the key's next one.
    error NonceOutOfRange(address key, uint256 nonce, uint256 nextNonce);

    /* BATCHES */

    /// @notice Thrown when the root is zero.
    error ZeroRoot(uint32 issuer);

    /// @notice Thrown when a batch without leaves is anchored.
    error ZeroSize(uint32 issuer, bytes32 root);

    /// @notice Thrown when this issuer has already anchored this root, and that anchoring is not void, or is revoked.
    error AlreadyAnchored(uint32 issuer, bytes32 root, uint40 anchoredAt);

    /// @notice Thrown when this issuer has not anchored this root.
    error NotAnchored(uint32 issuer, bytes32 root);

    /// @notice Thrown when the batch is revoked already, in the key's status epoch or in a later one.
    error BatchAlreadyRevoked(uint32 issuer, bytes32 root, uint16 revokedEpoch);

    /// @notice Thrown when the data of a call without a known function is no root, 32 bytes.
    error UnknownCall(uint256 length);

    /* STATUS */

    /// @notice Thrown when a reason code is 0 or above `MAX_REASON`.
    error InvalidReason(uint8 reason);

    /// @notice Thrown when a status call names no word, or more than a list has.
    error WordCountOutOfRange(uint256 count, uint256 maxCount);

    /// @notice Thrown when there is not exactly one mask for each word.
    error WordMaskMismatch(uint256 wordCount, uint256 maskCount);

    /// @notice Thrown when a word lies outside the list.
    error WordOutOfRange(uint16 word);

    /// @notice Thrown when words are not strictly increasing.
    error WordsNotIncreasing(uint16 previous, uint16 word);

    /// @notice Thrown when a word would stay as it is: one success is one change.
    error NothingChanges(uint32 list, uint16 word);

    /* VERIFICATION */

    /// @notice Thrown when the path does not lead from the credential's leaf to the root.
    error NotIncluded(bytes32 root, bytes32 leaf);

    /// @notice Thrown when the credential's whole batch is revoked.
    error BatchIsRevoked(uint32 issuer, bytes32 root, uint8 reason);

    /// @notice Thrown when the credential is revoked.
    error CredentialRevoked(uint32 issuer, uint32 list, uint256 index);

    /// @notice Thrown when the credential is suspended.
    error CredentialSuspended(uint32 issuer, uint32 list, uint256 index);
}
