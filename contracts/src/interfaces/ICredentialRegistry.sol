// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @dev Scope of a key that anchors batches. A key has one scope for ever, never both.
uint8 constant SCOPE_ANCHOR = 1;

/// @dev Scope of a key that changes the status of credentials.
uint8 constant SCOPE_STATUS = 2;

/// @dev Highest reason code: 1 issued in error, 2 superseded, 3 key compromise, 4 holder's request, 5 withdrawn by
/// issuer, 6 affiliation ended, 7 other. Neutral on purpose: the chain never forgets, so grounds stay off it.
uint8 constant MAX_REASON = 7;

/// @dev Longest DID in bytes. Room for `did:jwk` with a 4,096-bit RSA key; a bound keeps events readable by anyone.
uint256 constant MAX_DID_LENGTH = 1024;

/// @title Registry of accredited issuers, the batches they anchored and the status of their credentials
/// @notice Who may do what:
///
/// | Who                               | May                                                                      |
/// |-----------------------------------|--------------------------------------------------------------------------|
/// | default admin (two-step, delayed) | grant and revoke roles                                                   |
/// | `ACCREDITOR_ROLE`                 | `accredit`                                                               |
/// | controller of an issuer           | `addKey`, for that issuer, with the key's own consent                    |
/// | key of scope ANCHOR               | `anchor`, for its issuer                                                 |
/// | key of scope STATUS               | `revoke`, `suspend`, `reinstate`, for its issuer, in its status epoch    |
/// | anyone                            | every view                                                               |
///
/// Times are Unix seconds of the block; a period is half-open, [from, until). Zero means "not set" in `withdrawnAt`,
/// `validUntil`, `compromisedAt` and `revokedReason`, so that an absent storage slot reads as "none" in a state proof.
///
/// Every event of an issuer extends that issuer's head:
/// `head' = keccak256(abi.encode(head, keccak256(abi.encode(topic0, parameters...))))`, where the parameters are those of
/// the event in declared order, indexed or not, without the trailing `head` and `registryHead`; it starts from
/// `keccak256(abi.encode("credanchor/head/v1", block.chainid, address(this), issuer))`. Accreditations extend the
/// registry-wide head too, which starts from
/// `keccak256(abi.encode("credanchor/registry-head/v1", block.chainid, address(this)))`. Whoever replays a history to the
/// head in the contract's state knows that nothing was left out.
interface ICredentialRegistry is IERC5267 {
    /* TYPES */

    /// @notice An issuer. Three consecutive storage slots.
    /// @param controller Manages the issuer's keys. Slot 0, bits 0-159.
    /// @param accreditedAt When it was admitted; 0 if there is no such issuer. Slot 0, bits 160-199.
    /// @param withdrawnAt From when its accreditation no longer holds; 0 if not withdrawn. Slot 0, bits 200-239.
    /// @param statusEpoch Epoch whose status bits count; the first is 0. Slot 0, bits 240-255.
    /// @param didHash `keccak256(utf8(did))`, written once for ever. Slot 1.
    /// @param head Hash chain over all events of this issuer. Slot 2.
    struct Issuer {
        address controller;
        uint40 accreditedAt;
        uint40 withdrawnAt;
        uint16 statusEpoch;
        bytes32 didHash;
        bytes32 head;
    }

    /// @notice A key, bound to one issuer for ever. One storage slot.
    /// @param issuer Issuer it acts for; 0 if the address is no key. Bits 0-31.
    /// @param validFrom First second at which it is valid. Bits 32-71.
    /// @param validUntil First second at which it is no longer valid; 0 if it has no end. Bits 72-111.
    /// @param compromisedAt Since when what it did is void; 0 if not compromised. Bits 112-151.
    /// @param scope `SCOPE_ANCHOR` or `SCOPE_STATUS`. Bits 152-159.
    /// @param statusEpoch The one epoch a STATUS key writes; 0 for an ANCHOR key. Bits 160-175.
    struct Key {
        uint32 issuer;
        uint40 validFrom;
        uint40 validUntil;
        uint40 compromisedAt;
        uint8 scope;
        uint16 statusEpoch;
    }

    /// @notice An anchored batch. One storage slot.
    /// @param key ANCHOR key that anchored it. Bits 0-159.
    /// @param anchoredAt When; 0 if this issuer never anchored this root. Bits 160-199.
    /// @param size Leaf count. Bits 200-231.
    /// @param revokedReason Reason code if the whole batch was revoked, else 0. Bits 232-239.
    /// @param revokedEpoch Status epoch in which it was revoked. Bits 240-255.
    struct Batch {
        address key;
        uint40 anchoredAt;
        uint32 size;
        uint8 revokedReason;
        uint16 revokedEpoch;
    }

    /* EVENTS */

    /// @notice An issuer was admitted.
    /// @param issuer Its number, from 1.
    /// @param didHash `keccak256(utf8(did))`.
    /// @param did Its DID, which is not stored.
    /// @param controller Who manages its keys.
    /// @param actor Accreditor that admitted it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    /// @param registryHead The registry-wide head after this event.
    event IssuerAccredited(
        uint32 indexed issuer,
        bytes32 indexed didHash,
        string did,
        address controller,
        address actor,
        uint40 at,
        bytes32 head,
        bytes32 registryHead
    );

    /// @notice A key was bound to an issuer.
    /// @param issuer Issuer it acts for.
    /// @param key The key's address.
    /// @param scope `SCOPE_ANCHOR` or `SCOPE_STATUS`.
    /// @param statusEpoch Epoch a STATUS key writes; 0 for an ANCHOR key.
    /// @param validFrom First second at which it is valid, as stored: never 0.
    /// @param actor Controller that added it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event KeyAdded(
        uint32 indexed issuer,
        address indexed key,
        uint8 scope,
        uint16 statusEpoch,
        uint40 validFrom,
        address actor,
        uint40 at,
        bytes32 head
    );

    /// @notice A batch was anchored.
    /// @param issuer Issuer of the batch.
    /// @param root Merkle root of the batch.
    /// @param size Leaf count.
    /// @param actor ANCHOR key that anchored it.
    /// @param at Time of the block: the batch's `anchoredAt`.
    /// @param head The issuer's head after this event.
    event BatchAnchored(
        uint32 indexed issuer, bytes32 indexed root, uint32 size, address actor, uint40 at, bytes32 head
    );

    /// @notice Credentials were revoked.
    /// @param issuer Issuer of the status list.
    /// @param list Number of the status list.
    /// @param epoch Status epoch of the bits.
    /// @param words Storage words changed, strictly increasing.
    /// @param masks For each word the bits that were set by this call, none of which was set before.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    /// @param actor STATUS key that did it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event CredentialsRevoked(
        uint32 indexed issuer,
        uint32 indexed list,
        uint16 epoch,
        uint16[] words,
        uint256[] masks,
        uint8 reason,
        address actor,
        uint40 at,
        bytes32 head
    );

    /// @notice Credentials were suspended. Parameters as in `CredentialsRevoked`.
    event CredentialsSuspended(
        uint32 indexed issuer,
        uint32 indexed list,
        uint16 epoch,
        uint16[] words,
        uint256[] masks,
        uint8 reason,
        address actor,
        uint40 at,
        bytes32 head
    );

    /// @notice Suspensions were lifted. Parameters as in `CredentialsRevoked`; `masks` are the bits that were cleared.
    event CredentialsReinstated(
        uint32 indexed issuer,
        uint32 indexed list,
        uint16 epoch,
        uint16[] words,
        uint256[] masks,
        uint8 reason,
        address actor,
        uint40 at,
        bytes32 head
    );

    /* ERRORS */

    /// @notice Thrown when the registry is deployed with an accreditor that nobody can be.
    error InvalidAccreditor(address accreditor);

    /// @notice Thrown when a DID does not start with `did:` (an empty one does not).
    error InvalidDid(string did);

    /// @notice Thrown when a DID is longer than `MAX_DID_LENGTH` bytes.
    error DidTooLong(uint256 length, uint256 maxLength);

    /// @notice Thrown when the DID already belongs to an issuer; it does so for ever.
    error DidAlreadyAccredited(bytes32 didHash, uint32 issuer);

    /// @notice Thrown when the proposed controller is the zero address.
    error InvalidController(address controller);

    /// @notice Thrown when there is no issuer of this number.
    error UnknownIssuer(uint32 issuer);

    /// @notice Thrown when the issuer's accreditation no longer holds.
    error IssuerWithdrawn(uint32 issuer, uint40 withdrawnAt);

    /// @notice Thrown when the caller is not the issuer's controller.
    error NotController(uint32 issuer, address caller);

    /// @notice Thrown when the address is already a key, of this issuer or another.
    error KeyAlreadyBound(address key, uint32 issuer);

    /// @notice Thrown when a scope is neither `SCOPE_ANCHOR` nor `SCOPE_STATUS`.
    error InvalidScope(uint8 scope);

    /// @notice Thrown when the epoch is not 0 for an ANCHOR key, or neither the current nor the next for a STATUS key.
    error InvalidStatusEpoch(uint8 scope, uint16 statusEpoch, uint16 currentEpoch);

    /// @notice Thrown when a key would be valid from a time in the past.
    error ValidFromInPast(uint40 validFrom, uint40 timestamp);

    /// @notice Thrown when the key's consent was good only until an earlier time.
    error ConsentExpired(uint40 deadline, uint40 timestamp);

    /// @notice Thrown when the consent is no valid signature of the key over the digest.
    error InvalidConsent(address key, bytes32 digest);

    /// @notice Thrown when the caller is not a key of this issuer.
    /// @param key The caller.
    /// @param issuer Issuer it acted for.
    /// @param boundTo Issuer it is a key of; 0 if none.
    error KeyNotOfIssuer(address key, uint32 issuer, uint32 boundTo);

    /// @notice Thrown when the key has the other scope.
    error WrongScope(address key, uint8 scope, uint8 requiredScope);

    /// @notice Thrown when the key is not valid yet.
    error KeyNotYetValid(address key, uint40 validFrom);

    /// @notice Thrown when the key is not valid any more.
    /// @param key The caller.
    /// @param cutOff The earlier of its end and the time since which it is compromised.
    error KeyCutOff(address key, uint40 cutOff);

    /// @notice Thrown when the root is zero.
    error ZeroRoot(uint32 issuer);

    /// @notice Thrown when a batch without leaves is anchored.
    error ZeroSize(uint32 issuer, bytes32 root);

    /// @notice Thrown when this issuer has already anchored this root.
    error AlreadyAnchored(uint32 issuer, bytes32 root, uint40 anchoredAt);

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

    /* ACCREDITOR */

    /// @notice Admits an issuer. Only `ACCREDITOR_ROLE`. Emits `IssuerAccredited`.
    /// @dev Reverts with `InvalidDid`, `DidTooLong`, `InvalidController`, `DidAlreadyAccredited`.
    /// @param did The institution's DID; at most `MAX_DID_LENGTH` bytes. Compared byte for byte.
    /// @param controller Who manages the issuer's keys: best a multisig.
    /// @return issuer The issuer's number, from 1.
    function accredit(string calldata did, address controller) external returns (uint32 issuer);

    /* CONTROLLER */

    /// @notice Binds a key to an issuer, for ever. Only the issuer's controller, while accredited. Emits `KeyAdded`.
    /// @dev Reverts with `UnknownIssuer`, `NotController`, `IssuerWithdrawn`, `KeyAlreadyBound`, `InvalidScope`,
    /// `InvalidStatusEpoch`, `ValidFromInPast`, `ConsentExpired`, `InvalidConsent`.
    /// @param issuer Issuer the key shall act for.
    /// @param key The key's address: an account or an ERC-1271 wallet.
    /// @param scope `SCOPE_ANCHOR` or `SCOPE_STATUS`.
    /// @param statusEpoch 0 for an ANCHOR key; the issuer's current or next epoch for a STATUS key.
    /// @param validFrom Now or later; 0 for "from the block this is mined in" (docs/adr/0007-key-valid-from-zero.md).
    /// @param deadline Last second at which the consent is good.
    /// @param consent The key's own EIP-712 signature over `KeyConsent(uint32 issuer,address key,uint8 scope,uint16
    /// statusEpoch,uint40 validFrom,uint40 deadline)` with exactly these values, so that nobody binds another's address.
    function addKey(
        uint32 issuer,
        address key,
        uint8 scope,
        uint16 statusEpoch,
        uint40 validFrom,
        uint40 deadline,
        bytes calldata consent
    ) external;

    /* ANCHOR KEY */

    /// @notice Anchors a batch. Only a valid ANCHOR key of the issuer, while accredited. Emits `BatchAnchored`.
    /// @dev Reverts with `ZeroRoot`, `ZeroSize`, `KeyNotOfIssuer`, `WrongScope`, `KeyNotYetValid`, `KeyCutOff`,
    /// `IssuerWithdrawn`, `AlreadyAnchored`.
    /// @param issuer The caller's issuer.
    /// @param root Merkle root of the batch. Records are kept by (issuer, root), so nobody can take another's root.
    /// @param size Leaf count of the batch.
    function anchor(uint32 issuer, bytes32 root, uint32 size) external;

    /* STATUS KEY */

    /// @notice Revokes credentials, for ever within the key's status epoch. Only a valid STATUS key of the issuer, also
    /// after the issuer's withdrawal. Emits `CredentialsRevoked`.
    /// @dev Reverts with `KeyNotOfIssuer`, `WrongScope`, `KeyNotYetValid`, `KeyCutOff`, `InvalidReason`,
    /// `WordCountOutOfRange`, `WordMaskMismatch`, `WordOutOfRange`, `WordsNotIncreasing`, `NothingChanges`.
    /// @param issuer The caller's issuer.
    /// @param list Number of the status list.
    /// @param words Storage words to change, strictly increasing, 1 to 512 of them.
    /// @param masks For each word the bits to set; those already set are left out of the event.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    function revoke(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external;

    /// @notice Suspends credentials until reinstated. Who, parameters and errors as in `revoke`. Emits
    /// `CredentialsSuspended`.
    function suspend(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external;

    /// @notice Lifts suspensions. Who, parameters and errors as in `revoke`; `masks` are the bits to clear. Emits
    /// `CredentialsReinstated`.
    function reinstate(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external;

    /* VIEWS */

    /// @notice Whether a credential is revoked in the issuer's current status epoch.
    /// @dev Reverts with `UnknownIssuer` and `StatusIndexOutOfRange` rather than say no of what does not exist.
    /// @param issuer Issuer of the status list.
    /// @param list Number of the status list.
    /// @param index Status index of the credential, below 131,072.
    function isRevoked(uint32 issuer, uint32 list, uint256 index) external view returns (bool);

    /// @notice Whether a credential is suspended in the issuer's current status epoch. As `isRevoked`.
    function isSuspended(uint32 issuer, uint32 list, uint256 index) external view returns (bool);

    /// @notice `isRevoked` and `isSuspended` in one call.
    function statusOf(uint32 issuer, uint32 list, uint256 index) external view returns (bool revoked, bool suspended);

    /// @notice The record of an anchored batch; all zero if the issuer never anchored the root.
    function batchOf(uint32 issuer, bytes32 root) external view returns (Batch memory);

    /// @notice The record of a key; all zero if the address is no key.
    function keyOf(address key) external view returns (Key memory);

    /// @notice The record of an issuer, with its head; all zero if there is none.
    function issuerOf(uint32 issuer) external view returns (Issuer memory);

    /// @notice Number of the issuer with this DID; 0 if none.
    /// @param didHash `keccak256(utf8(did))`.
    function issuerOfDid(bytes32 didHash) external view returns (uint32);

    /// @notice How many issuers were ever accredited; they are numbered 1 to this.
    function issuerCount() external view returns (uint32);

    /// @notice Hash chain over all events that concern the registry as a whole.
    function registryHead() external view returns (bytes32);

    /// @notice The role that may accredit.
    // solhint-disable-next-line func-name-mixedcase
    function ACCREDITOR_ROLE() external view returns (bytes32);
}
