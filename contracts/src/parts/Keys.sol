// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../interfaces/ICredentialRegistry.sol";
import {Issuers} from "./Issuers.sol";
import {TypedData} from "./TypedData.sol";

/// @title Which keys act for which issuer, in which scope, from when to when
abstract contract Keys is Issuers, TypedData {
    /* CONSTANTS */

    bytes32 private constant _KEY_CONSENT_TYPEHASH = keccak256(
        "KeyConsent(uint32 issuer,address key,uint8 scope,uint16 statusEpoch,uint40 validFrom,uint40 deadline)"
    );

    /* STORAGE */

    mapping(address key => Key record) private _keys;

    /// @dev Next nonce of each signer of relayed calls.
    mapping(address signer => uint256 nonce) private _nonces;

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function addKey(
        uint32 issuer,
        address key,
        uint8 scope,
        uint16 statusEpoch,
        uint40 validFrom,
        uint40 deadline,
        bytes calldata consent
    ) external override {
        _requireController(issuer, msg.sender);
        _requireNotWithdrawn(issuer);
        if (_keys[key].issuer != 0) revert KeyAlreadyBound(key, _keys[key].issuer);
        _requireEpochOfScope(issuer, scope, statusEpoch);
        if (validFrom != 0 && validFrom < _timestamp()) revert ValidFromInPast(validFrom, _timestamp());
        if (deadline < _timestamp()) revert ConsentExpired(deadline, _timestamp());
        // The digest covers validFrom as given: 0 is what the key agreed to, not the time it comes to mean.
        bytes32 digest = _digestOf(
            keccak256(abi.encode(_KEY_CONSENT_TYPEHASH, issuer, key, scope, statusEpoch, validFrom, deadline))
        );
        if (!_isSignedBy(key, digest, consent)) revert InvalidConsent(key, digest);

        if (validFrom == 0) validFrom = _timestamp();
        _keys[key] = Key({
            issuer: issuer,
            validFrom: validFrom,
            validUntil: 0,
            compromisedAt: 0,
            scope: scope,
            statusEpoch: statusEpoch
        });
        bytes32 head = _extendHead(
            issuer,
            keccak256(
                abi.encode(KeyAdded.selector, issuer, key, scope, statusEpoch, validFrom, msg.sender, _timestamp())
            )
        );
        emit KeyAdded(issuer, key, scope, statusEpoch, validFrom, msg.sender, _timestamp(), head);
    }

    /// @inheritdoc ICredentialRegistry
    function keyOf(address key) external view override returns (Key memory) {
        return _keys[key];
    }

    /* INTERNAL */

    /// @dev The record of a key that may act for the issuer, in the scope, now.
    function _requireKey(address key, uint32 issuer, uint8 requiredScope) internal view returns (Key memory record) {
        record = _keys[key];
        // No issuer has number 0, but an address that is no key is bound to it.
        if (record.issuer != issuer || issuer == 0) revert KeyNotOfIssuer(key, issuer, record.issuer);
        if (record.scope != requiredScope) revert WrongScope(key, record.scope, requiredScope);
        if (_timestamp() < record.validFrom) revert KeyNotYetValid(key, record.validFrom);
        uint40 cutOff = _cutOffOf(record);
        if (cutOff != 0 && cutOff <= _timestamp()) revert KeyCutOff(key, cutOff);
    }

    /// @dev The earlier of a key's end and the time since which it is compromised; 0 if neither is set.
    function _cutOffOf(Key memory record) internal pure returns (uint40) {
        if (record.compromisedAt == 0) return record.validUntil;
        if (record.validUntil == 0) return record.compromisedAt;
        return record.compromisedAt < record.validUntil ? record.compromisedAt : record.validUntil;
    }

    /* PRIVATE */

    function _requireEpochOfScope(uint32 issuer, uint8 scope, uint16 statusEpoch) private view {
        uint16 current = _statusEpochOf(issuer);
        if (scope == SCOPE_ANCHOR) {
            if (statusEpoch != 0) revert InvalidStatusEpoch(scope, statusEpoch, current);
        } else if (scope == SCOPE_STATUS) {
            // Wider than the operands, so that the last epoch has no next one instead of an overflow.
            if (statusEpoch != current && statusEpoch != uint256(current) + 1) {
                revert InvalidStatusEpoch(scope, statusEpoch, current);
            }
        } else {
            revert InvalidScope(scope);
        }
    }
}
