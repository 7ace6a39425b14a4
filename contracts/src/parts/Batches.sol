// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR} from "../interfaces/ICredentialRegistry.sol";
import {Keys} from "./Keys.sol";

/// @title Anchored batches
abstract contract Batches is Keys {
    /* STORAGE */

    mapping(uint32 issuer => mapping(bytes32 root => Batch record)) private _batches;

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function anchor(uint32 issuer, bytes32 root, uint32 size) external override {
        if (size == 0) revert ZeroSize(issuer, root);
        _anchor(msg.sender, issuer, root, size);
    }

    /// @inheritdoc ICredentialRegistry
    function batchOf(uint32 issuer, bytes32 root) external view override returns (Batch memory) {
        return _batches[issuer][root];
    }

    /* INTERNAL */

    function _anchor(address key, uint32 issuer, bytes32 root, uint32 size) internal {
        _requireKey(key, issuer, SCOPE_ANCHOR);
        _requireNotWithdrawn(issuer);
        _requireAnchorable(issuer, root);

        _batches[issuer][root] =
            Batch({key: key, anchoredAt: _timestamp(), size: size, revokedReason: 0, revokedEpoch: 0});
        bytes32 head =
            _extendHead(issuer, keccak256(abi.encode(BatchAnchored.selector, issuer, root, size, key, _timestamp())));
        emit BatchAnchored(issuer, root, size, key, _timestamp(), head);
    }

    /* PRIVATE */

    function _requireAnchorable(uint32 issuer, bytes32 root) private view {
        if (root == 0) revert ZeroRoot(issuer);
        uint40 anchoredAt = _batches[issuer][root].anchoredAt;
        if (anchoredAt != 0) revert AlreadyAnchored(issuer, root, anchoredAt);
    }
}
