// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, MAX_CANCELLED_NONCES} from "../interfaces/ICredentialRegistry.sol";
import {Keys} from "./Keys.sol";

/// @title Signatures that stand for a call of the key itself, and nonces so that none does twice
/// @notice One function for each call, not one `relay` for all: a wallet then shows what is signed, member by member
/// (docs/adr/0012-relayed-calls.md).
abstract contract Relays is Keys {
    /* STORAGE */

    mapping(address key => uint256 nonce) private _nonces;

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function cancelNonces(address key, uint256 nonce) external override {
        uint32 issuer = _issuerOfKey(key);
        if (msg.sender != key) _requireController(issuer, msg.sender);
        uint256 next = _nonces[key];
        if (nonce <= next || nonce - next > MAX_CANCELLED_NONCES) revert NonceOutOfRange(key, nonce, next);

        _nonces[key] = nonce;
        bytes32 head = _extendHead(
            issuer, keccak256(abi.encode(NoncesCancelled.selector, issuer, key, nonce, msg.sender, _timestamp()))
        );
        emit NoncesCancelled(issuer, key, nonce, msg.sender, _timestamp(), head);
    }

    /// @inheritdoc ICredentialRegistry
    function nonceOf(address key) external view override returns (uint256) {
        return _nonces[key];
    }

    /* INTERNAL */

    /// @dev Checks a relayed call that carries a nonce, and uses that up.
    function _requireSignature(
        address key,
        uint256 nonce,
        uint40 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) internal {
        if (nonce != _nonces[key]) revert InvalidNonce(key, nonce, _nonces[key]);
        _useNonce(key);
        _requireSignature(key, deadline, structHash, signature);
    }

    /// @dev Checks a relayed call that cannot run twice anyway.
    function _requireSignature(address key, uint40 deadline, bytes32 structHash, bytes calldata signature)
        internal
        view
    {
        if (deadline < _timestamp()) revert SignatureExpired(deadline, _timestamp());
        bytes32 digest = _digestOf(structHash);
        if (!_isSignedBy(key, digest, signature)) revert InvalidSignature(key, digest);
    }

    function _useNonce(address key) internal {
        ++_nonces[key];
    }
}
