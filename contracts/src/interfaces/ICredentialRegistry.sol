// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {IRegistryErrors} from "./IRegistryErrors.sol";
import {IRegistryEvents} from "./IRegistryEvents.sol";

/// @dev Scope of a key that anchors batches. A key has one scope for ever, never both.
uint8 constant SCOPE_ANCHOR = 1;

/// @dev Scope of a key that changes the status of credentials.
uint8 constant SCOPE_STATUS = 2;

/// @dev Highest reason code: 1 issued in error, 2 superseded, 3 key compromise, 4 holder's request, 5 withdrawn by
/// issuer, 6 affiliation ended, 7 other. Neutral on purpose: the chain never forgets, so grounds stay off it.
uint8 constant MAX_REASON = 7;

/// @dev Longest DID in bytes. Room for `did:jwk` with a 4,096-bit RSA key; a bound keeps events readable by anyone.
uint256 constant MAX_DID_LENGTH = 1024;

/// @dev Most nonces that one call may cancel: more than anybody signs ahead, and a slip of the keyboard must not use up
/// the nonces of a key for ever.
uint256 constant MAX_CANCELLED_NONCES = 1024;

/// @title Registry of accredited issuers, the batches they anchored and the status of their credentials
/// @notice Who may do what:
///
/// | Who                               | May                                                                      |
/// |-----------------------------------|--------------------------------------------------------------------------|
/// | default admin (two-step, delayed) | grant and revoke roles                                                   |
/// | `ACCREDITOR_ROLE`                 | `accredit`, `withdraw`                                                   |
/// | controller of an issuer           | `addKey`, with the key's own consent; `retireKey`, `compromiseKey`;      |
/// |                                   | `transferController`; `cancelNonces` of its keys                         |
/// | who was offered control           | `acceptController`                                                       |
/// | key of scope ANCHOR               | `anchor`, for its issuer, while that is accredited                       |
/// | key of scope STATUS               | `revoke`, `suspend`, `reinstate`, `revokeBatch`, for its issuer, in its  |
/// |                                   | own status epoch; `cancelNonces` of its own                              |
/// | anyone                            | the `…BySig` calls with such a key's signature; every view               |
///
/// Times are Unix seconds of the block; a period is half-open, [from, until). Zero means "not set" in `withdrawnAt`,
/// `validUntil`, `compromisedAt` and `revokedReason`, so that an absent storage slot reads as "none" in a state proof.
/// Where a time is asked for that must not lie in the past, zero stands for the earliest one allowed, for nobody knows
/// when a transaction will be mined (docs/adr/0007-key-valid-from-zero.md).
///
/// **Status epochs.** Bits only get set; a STATUS key writes the one epoch that was fixed when it was added. When such a
/// key is stolen: add a new one for the next epoch, let it repeat the honest revocations and suspensions there, then call
/// `compromiseKey` on the stolen one. That moves the issuer to the next epoch, where nothing of the thief's is. If the
/// staged key is stolen, `compromiseKey` skips its epoch: another one comes next, to be staged anew.
///
/// **Relayed calls.** A key without ether signs EIP-712 typed data (domain: `eip712Domain`), and anyone sends it:
///
///     Anchor(address key,uint32 issuer,bytes32 root,uint32 size,uint40 deadline)
///     Revoke(address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason,uint256 nonce,uint40 deadline)
///     Suspend(…), Reinstate(…)                                                                          members as in Revoke
///     RevokeBatch(address key,uint32 issuer,bytes32 root,uint8 reason,uint256 nonce,uint40 deadline)
///
/// The nonce is the key's next one. Direct calls of `suspend` and `reinstate` use one too, so that a signature held back
/// cannot undo a later decision of the same key. `Anchor` has none: it cannot run twice, for it needs a root that is not
/// anchored or whose anchoring is void, and the key that anchored it is then cut off.
interface ICredentialRegistry is IERC5267, IRegistryEvents, IRegistryErrors {
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

    /* ACCREDITOR */

    /// @notice Admits an issuer. Only `ACCREDITOR_ROLE`. Emits `IssuerAccredited`.
    /// @dev Reverts with `AccessControlUnauthorizedAccount`, `InvalidDid`, `DidTooLong`, `InvalidController`,
    /// `DidAlreadyAccredited`.
    /// @param did The institution's DID; at most `MAX_DID_LENGTH` bytes. Compared byte for byte.
    /// @param controller Who manages the issuer's keys: best a multisig.
    /// @return issuer The issuer's number, from 1.
    function accredit(string calldata did, address controller) external returns (uint32 issuer);

    /// @notice Ends an issuer's accreditation, or moves its end to an earlier time, never into the past: what was anchored
    /// under it stays good. Ends `anchor` and the adding of ANCHOR keys; the rest goes on, so that revocations can be made
    /// and STATUS keys replaced (docs/adr/0013-after-withdrawal.md). Only `ACCREDITOR_ROLE`. Emits `AccreditationWithdrawn`.
    /// @dev Reverts with `AccessControlUnauthorizedAccount`, `UnknownIssuer`, `InvalidReason`, `WithdrawalInPast`,
    /// `WithdrawalNotEarlier`; once it has ended with `IssuerWithdrawn`.
    /// @param issuer The issuer.
    /// @param withdrawnAt First second at which it is no longer accredited: after this block's; 0 for the next one.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    function withdraw(uint32 issuer, uint40 withdrawnAt, uint8 reason) external;

    /* CONTROLLER */

    /// @notice Offers control of an issuer. Only its controller, who stays it until the other accepts. Emits
    /// `ControllerTransferStarted`.
    /// @dev Reverts with `UnknownIssuer`, `NotController`, `AlreadyController`, `ControllerOfferUnchanged`.
    /// @param issuer The issuer.
    /// @param controller Who may accept, instead of anybody before; zero takes the offer back.
    function transferController(uint32 issuer, address controller) external;

    /// @notice Accepts control of an issuer. Only who was offered it. Emits `ControllerTransferred`.
    /// @dev Reverts with `UnknownIssuer`, `NotPendingController`.
    /// @param issuer The issuer.
    function acceptController(uint32 issuer) external;

    /// @notice Binds a key to an issuer, for ever. Only the issuer's controller; an ANCHOR key only while accredited. Emits
    /// `KeyAdded`.
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

    /// @notice Ends a key's validity from the next second on; what it did stays good. Only the controller of its issuer.
    /// Emits `KeyRetired`.
    /// @dev Reverts with `UnknownKey`, `NotController`; with `KeyCutOff` if it has an end already.
    /// @param key The key.
    function retireKey(address key) external;

    /// @notice Declares a key compromised: every batch it anchored at `since` or later is void. Can be repeated with an
    /// earlier time. Of a STATUS key it also changes the issuer's epochs (see above): if its epoch is the current one, the
    /// next becomes current; if it is the next one, that is skipped. Only the controller of its issuer. Emits
    /// `KeyCompromised`, and `StatusEpochChanged` if an epoch changed.
    /// @dev Reverts with `UnknownKey`, `NotController`, `CompromisedBeforeValid`, `CompromisedInFuture`,
    /// `CutOffNotEarlier`, `StatusEpochsExhausted`.
    /// @param key The key.
    /// @param since From the key's `validFrom` to now, and before any cut-off it has.
    function compromiseKey(address key, uint40 since) external;

    /// @notice Makes signatures for relayed status calls void that were not used yet. Only the key itself, or the
    /// controller of its issuer. Emits `NoncesCancelled`.
    /// @dev Reverts with `UnknownKey`, `NotController`, `NonceOutOfRange`.
    /// @param key The key whose signatures they are.
    /// @param nonce Next nonce that shall be good: 1 to `MAX_CANCELLED_NONCES` more than `nonceOf(key)`.
    function cancelNonces(address key, uint256 nonce) external;

    /* ANCHOR KEY */

    /// @notice Anchors a batch. Only a valid ANCHOR key of the issuer, while accredited. Emits `BatchAnchored`.
    ///
    /// A root that this issuer has anchored can be anchored again if that anchoring is void (its key was compromised at or
    /// before that time) and the batch is not revoked; the record is then written anew.
    ///
    /// A call with a root as its bare 32 bytes of data (`fallback`) anchors it for the caller's issuer with size 0, "not
    /// stated", under the same rules; it reverts with `UnknownCall` for other lengths, `UnknownKey` for other callers. A
    /// root whose first four bytes are a function's selector is taken for a call: require the event.
    /// @dev Reverts with `ZeroSize`, `KeyNotOfIssuer`, `WrongScope`, `KeyNotYetValid`, `KeyCutOff`, `IssuerWithdrawn`,
    /// `ZeroRoot`, `AlreadyAnchored`.
    /// @param issuer The caller's issuer.
    /// @param root Merkle root of the batch. Records are kept by (issuer, root), so nobody can take another's root.
    /// @param size Leaf count of the batch.
    function anchor(uint32 issuer, bytes32 root, uint32 size) external;

    /// @notice `anchor`, sent by anyone with the key's signature over `Anchor`.
    /// @dev Reverts as `anchor` does, and with `SignatureExpired`, `InvalidSignature`.
    /// @param key ANCHOR key that signed.
    /// @param deadline Last second at which the signature is good.
    /// @param signature EIP-712 signature of the key: ECDSA, or ERC-1271 if it is a contract.
    function anchorBySig(
        uint32 issuer,
        bytes32 root,
        uint32 size,
        address key,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /* STATUS KEY */

    /// @notice Revokes credentials, for ever within the key's status epoch. Only a valid STATUS key of the issuer, of its
    /// current or next epoch, also after the issuer's withdrawal. Emits `CredentialsRevoked`.
    /// @dev Reverts with `KeyNotOfIssuer`, `WrongScope`, `KeyNotYetValid`, `KeyCutOff`, `StatusEpochOver`, `InvalidReason`,
    /// `WordCountOutOfRange`, `WordMaskMismatch`, `WordOutOfRange`, `WordsNotIncreasing`, `NothingChanges`.
    /// @param issuer The caller's issuer.
    /// @param list Number of the status list.
    /// @param words Storage words to change, strictly increasing, 1 to 512 of them.
    /// @param masks For each word the bits to set; those already set are left out of the event.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    function revoke(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external;

    /// @notice `revoke`, sent by anyone with the key's signature over `Revoke`.
    /// @dev Reverts as `revoke` does, and with `SignatureExpired`, `InvalidNonce`, `InvalidSignature`.
    /// @param key STATUS key that signed.
    /// @param nonce The key's next nonce, `nonceOf(key)`.
    /// @param deadline Last second at which the signature is good.
    /// @param signature EIP-712 signature of the key: ECDSA, or ERC-1271 if it is a contract.
    function revokeBySig(
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Suspends credentials until reinstated. Who, parameters and errors as in `revoke`. Uses one nonce of the key.
    /// Emits `CredentialsSuspended`.
    function suspend(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external;

    /// @notice `suspend`, sent by anyone with the key's signature over `Suspend`. As `revokeBySig`.
    function suspendBySig(
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Lifts suspensions. Who, parameters and errors as in `revoke`; `masks` are the bits to clear. Uses one nonce
    /// of the key. Emits `CredentialsReinstated`.
    function reinstate(uint32 issuer, uint32 list, uint16[] calldata words, uint256[] calldata masks, uint8 reason)
        external;

    /// @notice `reinstate`, sent by anyone with the key's signature over `Reinstate`. As `revokeBySig`.
    function reinstateBySig(
        uint32 issuer,
        uint32 list,
        uint16[] calldata words,
        uint256[] calldata masks,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Revokes a whole batch; the revocation counts while the issuer's status epoch is the key's, or an earlier one.
    /// Only a valid STATUS key of the issuer, as in `revoke`. Emits `BatchRevoked`.
    /// @dev Reverts with `KeyNotOfIssuer`, `WrongScope`, `KeyNotYetValid`, `KeyCutOff`, `StatusEpochOver`, `InvalidReason`,
    /// `NotAnchored`; with `BatchAlreadyRevoked` if it is revoked in the key's epoch or a later one.
    /// @param issuer The caller's issuer.
    /// @param root Merkle root of the batch.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    function revokeBatch(uint32 issuer, bytes32 root, uint8 reason) external;

    /// @notice `revokeBatch`, sent by anyone with the key's signature over `RevokeBatch`. Parameters as in `revokeBySig`.
    /// @dev Reverts as `revokeBatch` does, and with `SignatureExpired`, `InvalidNonce`, `InvalidSignature`.
    function revokeBatchBySig(
        uint32 issuer,
        bytes32 root,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /* VERIFICATION */

    /// @notice Checks everything about a credential that the chain knows, so that other contracts can rely on it: that the
    /// issuer anchored its batch with a key that was not cut off then, and was accredited; that the credential is in the
    /// batch; that neither is revoked, nor the credential suspended. Not its content, dates and holder: the caller must know
    /// what stands in a credential of this hash. Nor whether the anchoring is final: a reorganisation may take it back.
    /// @dev Reverts with what is wrong: `UnknownIssuer`, `NotAnchored`, `NotIncluded`, `KeyCutOff`, `IssuerWithdrawn`,
    /// `BatchIsRevoked`, `CredentialRevoked`, `CredentialSuspended`, `StatusIndexOutOfRange`. Returns only if all is well.
    /// @param issuer Issuer that the caller relies on; its DID is `issuerOf(issuer).didHash`.
    /// @param root Merkle root of the batch.
    /// @param salt The credential's salt, of its anchor proof.
    /// @param list Number of its status list.
    /// @param statusIndex Its status index in that list.
    /// @param credentialHash SHA-256 of its canonical bytes.
    /// @param leafIndex Position of its leaf in the batch.
    /// @param path Siblings from the leaf level up to the root's child.
    /// @return anchoredAt When the batch was anchored.
    function verify(
        uint32 issuer,
        bytes32 root,
        bytes32 salt,
        uint32 list,
        uint32 statusIndex,
        bytes32 credentialHash,
        uint32 leafIndex,
        bytes32[] calldata path
    ) external view returns (uint40 anchoredAt);

    /// @notice Whether the path leads from the leaf to the root of a batch of this size: arithmetic, no more. Whoever relies
    /// on it must have hashed the leaf from its 73 bytes himself and take the size from `batchOf`: of a smaller size a node
    /// of the tree is a leaf. `verify` does both.
    /// @param root Merkle root of the batch.
    /// @param leaf Leaf hash.
    /// @param leafIndex Position of the leaf.
    /// @param size Leaf count of the batch.
    /// @param path Siblings from the leaf level up to the root's child: exactly as many as index and size ask for.
    function isIncluded(bytes32 root, bytes32 leaf, uint32 leafIndex, uint32 size, bytes32[] calldata path)
        external
        pure
        returns (bool);

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

    /// @notice Next nonce for a relayed status call of this key.
    function nonceOf(address key) external view returns (uint256);

    /// @notice The record of an issuer, with its head; all zero if there is none.
    function issuerOf(uint32 issuer) external view returns (Issuer memory);

    /// @notice Number of the issuer with this DID; 0 if none.
    /// @param didHash `keccak256(utf8(did))`.
    function issuerOfDid(bytes32 didHash) external view returns (uint32);

    /// @notice Who was offered control of an issuer and has not accepted; zero if nobody.
    function pendingControllerOf(uint32 issuer) external view returns (address);

    /// @notice Status epoch that comes after an issuer's current one, and can be staged.
    /// @dev Reverts with `UnknownIssuer`.
    function nextStatusEpochOf(uint32 issuer) external view returns (uint16);

    /// @notice How many issuers were ever accredited; they are numbered 1 to this.
    function issuerCount() external view returns (uint32);

    /// @notice Hash chain over all events that concern the registry as a whole.
    function registryHead() external view returns (bytes32);

    /// @notice The role that may accredit. Named as a constant is, which it is.
    // slither-disable-next-line naming-convention
    function ACCREDITOR_ROLE() external view returns (bytes32);
}
