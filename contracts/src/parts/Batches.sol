// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR} from "../interfaces/ICredentialRegistry.sol";
import {Relays} from "./Relays.sol";

/// @title Anchored batches, and the revocation of whole ones
abstract contract Batches is Relays {
    /* CONSTANTS */

    bytes32 private constant _ANCHOR_TYPEHASH =
        keccak256("Anchor(address key,uint32 issuer,bytes32 root,uint32 size,uint40 deadline)");
    bytes32 private constant _REVOKE_BATCH_TYPEHASH =
        keccak256("RevokeBatch(address key,uint32 issuer,bytes32 root,uint8 reason,uint256 nonce,uint40 deadline)");

    /// @dev Size of a batch that was anchored by its bare root.
    uint32 private constant _SIZE_NOT_STATED = 0;

    /* STORAGE */

    mapping(uint32 issuer => mapping(bytes32 root => Batch record)) private _batches;

    /* EXTERNAL */

    /// @notice Anchors the 32 bytes of the call's data for the caller's issuer, with size 0; see `anchor`.
    /// @dev Blockcerts' verifiers want a transaction whose input is the bare root.
    fallback(bytes calldata data) external returns (bytes memory) {
        if (data.length != 32) revert UnknownCall(data.length);
        // Exactly 32 bytes, hence nothing is cut off.
        // forge-lint: disable-next-line(unsafe-typecast)
        _anchor(msg.sender, _issuerOfKey(msg.sender), bytes32(data), _SIZE_NOT_STATED);
        return "";
    }

    /// @inheritdoc ICredentialRegistry
    function anchor(uint32 issuer, bytes32 root, uint32 size) external override {
        _anchorSized(msg.sender, issuer, root, size);
    }

    /// @inheritdoc ICredentialRegistry
    function anchorBySig(
        uint32 issuer,
        bytes32 root,
        uint32 size,
        address key,
        uint40 deadline,
        bytes calldata signature
    ) external override {
        bytes32 structHash = keccak256(abi.encode(_ANCHOR_TYPEHASH, key, issuer, root, size, deadline));
        _requireSignature(key, deadline, structHash, signature);
        _anchorSized(key, issuer, root, size);
    }

    /// @inheritdoc ICredentialRegistry
    function revokeBatch(uint32 issuer, bytes32 root, uint8 reason) external override {
        _revokeBatch(msg.sender, issuer, root, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function revokeBatchBySig(
        uint32 issuer,
        bytes32 root,
        uint8 reason,
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external override {
        bytes32 structHash = keccak256(abi.encode(_REVOKE_BATCH_TYPEHASH, key, issuer, root, reason, nonce, deadline));
        _requireSignature(key, nonce, deadline, structHash, signature);
        _revokeBatch(key, issuer, root, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function batchOf(uint32 issuer, bytes32 root) public view override returns (Batch memory) {
        return _batches[issuer][root];
    }

    /* INTERNAL */

    /// @dev Whether a batch that was anchored is void: its key was compromised then. (No key anchors after its end.)
    function _isVoid(Batch memory batch) internal view returns (bool) {
        uint40 cutOff = _cutOffOf(batch.key);
        return cutOff != 0 && cutOff <= batch.anchoredAt;
    }

    /// @dev Whether a batch is revoked, seen from a status epoch: its revocation was made in that one, or for a later one.
    function _isRevokedIn(Batch memory batch, uint16 epoch) internal pure returns (bool) {
        return batch.revokedReason != 0 && batch.revokedEpoch >= epoch;
    }

    /* PRIVATE */

    function _anchorSized(address key, uint32 issuer, bytes32 root, uint32 size) private {
        if (size == 0) revert ZeroSize(issuer, root);
        _anchor(key, issuer, root, size);
    }

    function _anchor(address key, uint32 issuer, bytes32 root, uint32 size) private {
        _requireKey(key, issuer, SCOPE_ANCHOR);
        _requireNotWithdrawn(issuer);
        _requireAnchorable(issuer, root);

        _batches[issuer][root] =
            Batch({key: key, anchoredAt: _timestamp(), size: size, revokedReason: 0, revokedEpoch: 0});
        bytes32 head =
            _extendHead(issuer, keccak256(abi.encode(BatchAnchored.selector, issuer, root, size, key, _timestamp())));
        emit BatchAnchored(issuer, root, size, key, _timestamp(), head);
    }

    function _revokeBatch(address key, uint32 issuer, bytes32 root, uint8 reason) private {
        uint16 epoch = _requireStatusCall(key, issuer, reason);
        Batch memory batch = batchOf(issuer, root);
        if (batch.anchoredAt == 0) revert NotAnchored(issuer, root);
        if (_isRevokedIn(batch, epoch)) revert BatchAlreadyRevoked(issuer, root, batch.revokedEpoch);

        batch.revokedReason = reason;
        batch.revokedEpoch = epoch;
        _batches[issuer][root] = batch;
        bytes32 head = _extendHead(
            issuer, keccak256(abi.encode(BatchRevoked.selector, issuer, root, epoch, reason, key, _timestamp()))
        );
        emit BatchRevoked(issuer, root, epoch, reason, key, _timestamp(), head);
    }

    function _requireAnchorable(uint32 issuer, bytes32 root) private view {
        if (root == 0) revert ZeroRoot(issuer);
        Batch memory batch = batchOf(issuer, root);
        if (batch.anchoredAt == 0) return;
        if (!_isVoid(batch) || _isRevokedIn(batch, _statusEpochOf(issuer))) {
            revert AlreadyAnchored(issuer, root, batch.anchoredAt);
        }
    }
}
