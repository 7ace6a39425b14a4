// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Events of the credential registry
/// @notice Every event of an issuer extends that issuer's head:
/// `head' = keccak256(abi.encode(head, keccak256(abi.encode(topic0, parameters...))))`, where the parameters are those of
/// the event in declared order, indexed or not, without the trailing `head` and `registryHead`; it starts from
/// `keccak256(abi.encode("credanchor/head/v1", block.chainid, address(this), issuer))`. Role changes, accreditations and
/// withdrawals extend the registry-wide head likewise, which starts from
/// `keccak256(abi.encode("credanchor/registry-head/v1", block.chainid, address(this)))`. Whoever replays a history to the
/// heads in the contract's state knows that nothing was left out.
///
/// `actor` is who decided: accreditor, controller or key. Of a relayed call it is the key that signed, not who paid.
/// `at` is the time of the block.
interface IRegistryEvents {
    /* REGISTRY */

    /// @notice An account was given a role, or lost it. OpenZeppelin's `RoleGranted` or `RoleRevoked` comes with it.
    /// @param role `DEFAULT_ADMIN_ROLE` (zero) or `ACCREDITOR_ROLE`, or another that the admin made up.
    /// @param account Who has it now, or no longer.
    /// @param granted Whether it was given.
    /// @param actor Admin that did it, the account itself if it renounced, or who deployed the registry.
    /// @param at Time of the block.
    /// @param registryHead The registry-wide head after this event.
    event RoleChanged(
        bytes32 indexed role, address indexed account, bool granted, address actor, uint40 at, bytes32 registryHead
    );

    /* ACCREDITATION */

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

    /// @notice An issuer's accreditation got an end, or an earlier one.
    /// @param issuer The issuer.
    /// @param withdrawnAt First second at which it is no longer accredited: after `at`.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    /// @param actor Accreditor that did it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    /// @param registryHead The registry-wide head after this event.
    event AccreditationWithdrawn(
        uint32 indexed issuer,
        uint40 withdrawnAt,
        uint8 reason,
        address actor,
        uint40 at,
        bytes32 head,
        bytes32 registryHead
    );

    /* CONTROLLER */

    /// @notice Control of an issuer was offered, or the offer taken back.
    /// @param issuer The issuer.
    /// @param controller Who may accept; zero: nobody any more.
    /// @param actor The controller, who stays it until then.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event ControllerTransferStarted(
        uint32 indexed issuer, address indexed controller, address actor, uint40 at, bytes32 head
    );

    /// @notice Control of an issuer was accepted.
    /// @param issuer The issuer.
    /// @param controller The controller from now on.
    /// @param actor The same.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event ControllerTransferred(
        uint32 indexed issuer, address indexed controller, address actor, uint40 at, bytes32 head
    );

    /* KEYS */

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

    /// @notice A key got its end; what it did before stays good.
    /// @param issuer Its issuer.
    /// @param key The key's address.
    /// @param validUntil First second at which it is no longer valid: the one after `at`.
    /// @param actor Controller that did it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event KeyRetired(
        uint32 indexed issuer, address indexed key, uint40 validUntil, address actor, uint40 at, bytes32 head
    );

    /// @notice A key was declared compromised: what it did at `since` or later is void.
    /// @param issuer Its issuer.
    /// @param key The key's address.
    /// @param since Cut-off; not after `at`, and earlier than any before.
    /// @param actor Controller that did it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event KeyCompromised(
        uint32 indexed issuer, address indexed key, uint40 since, address actor, uint40 at, bytes32 head
    );

    /// @notice Other status epochs count from now on. Follows the `KeyCompromised` of a STATUS key that caused it.
    /// @param issuer The issuer.
    /// @param epoch Epoch whose bits count.
    /// @param nextEpoch Epoch that comes after it, and can be staged.
    /// @param actor Controller that did it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event StatusEpochChanged(
        uint32 indexed issuer, uint16 epoch, uint16 nextEpoch, address actor, uint40 at, bytes32 head
    );

    /// @notice Signatures for relayed calls that were not used yet became void.
    /// @param issuer The key's issuer.
    /// @param key The key whose signatures they are.
    /// @param nonce Next nonce that is good; those below are used or void.
    /// @param actor The key, or its issuer's controller.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event NoncesCancelled(
        uint32 indexed issuer, address indexed key, uint256 nonce, address actor, uint40 at, bytes32 head
    );

    /* BATCHES */

    /// @notice A batch was anchored; or anchored again, the earlier anchoring being void.
    /// @param issuer Issuer of the batch.
    /// @param root Merkle root of the batch.
    /// @param size Leaf count; 0 if it was anchored by its root alone.
    /// @param actor ANCHOR key that anchored it.
    /// @param at Time of the block: the batch's `anchoredAt`.
    /// @param head The issuer's head after this event.
    event BatchAnchored(
        uint32 indexed issuer, bytes32 indexed root, uint32 size, address actor, uint40 at, bytes32 head
    );

    /// @notice A whole batch was revoked.
    /// @param issuer Issuer of the batch.
    /// @param root Merkle root of the batch.
    /// @param epoch Status epoch in which it was: the revocation counts until the issuer is in a later one.
    /// @param reason Reason code, 1 to `MAX_REASON`.
    /// @param actor STATUS key that did it.
    /// @param at Time of the block.
    /// @param head The issuer's head after this event.
    event BatchRevoked(
        uint32 indexed issuer, bytes32 indexed root, uint16 epoch, uint8 reason, address actor, uint40 at, bytes32 head
    );

    /* STATUS */

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
}
