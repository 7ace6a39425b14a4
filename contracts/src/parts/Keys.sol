// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../interfaces/ICredentialRegistry.sol";
import {Issuers} from "./Issuers.sol";
import {TypedData} from "./TypedData.sol";

/// @title Which keys act for which issuer, in which scope and status epoch, from when to when
abstract contract Keys is Issuers, TypedData {
    /* CONSTANTS */

    bytes32 private constant _KEY_CONSENT_TYPEHASH = keccak256(
        "KeyConsent(uint32 issuer,address key,uint8 scope,uint16 statusEpoch,uint40 validFrom,uint40 deadline)"
    );

    /* STORAGE */

    mapping(address key => Key record) private _keys;

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
    function retireKey(address key) external override {
        Key storage record = _requireControllerOf(key);
        uint40 cutOff = _earlier(record.validUntil, record.compromisedAt);
        if (cutOff != 0) revert KeyCutOff(key, cutOff);

        // From the next second on, so that what the key did in this block stays good.
        uint40 validUntil = _timestamp() + 1;
        record.validUntil = validUntil;
        bytes32 head = _extendHead(
            record.issuer,
            keccak256(abi.encode(KeyRetired.selector, record.issuer, key, validUntil, msg.sender, _timestamp()))
        );
        emit KeyRetired(record.issuer, key, validUntil, msg.sender, _timestamp(), head);
    }

    /// @inheritdoc ICredentialRegistry
    function compromiseKey(address key, uint40 since) external override {
        Key storage record = _requireControllerOf(key);
        if (since < record.validFrom) revert CompromisedBeforeValid(key, since, record.validFrom);
        if (since > _timestamp()) revert CompromisedInFuture(key, since, _timestamp());
        uint40 cutOff = _earlier(record.validUntil, record.compromisedAt);
        if (cutOff != 0 && since >= cutOff) revert CutOffNotEarlier(key, since, cutOff);

        record.compromisedAt = since;
        bytes32 head = _extendHead(
            record.issuer,
            keccak256(abi.encode(KeyCompromised.selector, record.issuer, key, since, msg.sender, _timestamp()))
        );
        emit KeyCompromised(record.issuer, key, since, msg.sender, _timestamp(), head);
        if (record.scope == SCOPE_STATUS) _abandonEpoch(record.issuer, record.statusEpoch);
    }

    /// @inheritdoc ICredentialRegistry
    function keyOf(address key) external view override returns (Key memory) {
        return _keys[key];
    }

    /* INTERNAL */

    /// @dev Checks that a key may act for the issuer, in the scope, now. Returns the epoch that a STATUS key writes.
    function _requireKey(address key, uint32 issuer, uint8 requiredScope) internal view returns (uint16 statusEpoch) {
        Key storage record = _keys[key];
        statusEpoch = record.statusEpoch;
        // No issuer has number 0, but an address that is no key is bound to it.
        if (record.issuer != issuer || issuer == 0) revert KeyNotOfIssuer(key, issuer, record.issuer);
        if (record.scope != requiredScope) revert WrongScope(key, record.scope, requiredScope);
        if (_timestamp() < record.validFrom) revert KeyNotYetValid(key, record.validFrom);
        uint40 cutOff = _earlier(record.validUntil, record.compromisedAt);
        if (cutOff != 0 && cutOff <= _timestamp()) revert KeyCutOff(key, cutOff);
    }

    /// @dev Checks who changes a status, and why. Returns the one epoch that the key may write, current or next: of another
    /// one a change would be believed to count, and never would.
    function _requireStatusCall(address key, uint32 issuer, uint8 reason) internal view returns (uint16 epoch) {
        epoch = _requireKey(key, issuer, SCOPE_STATUS);
        uint16 current = _statusEpochOf(issuer);
        if (epoch != current && epoch != _nextStatusEpoch(issuer)) revert StatusEpochOver(key, epoch, current);
        _requireReason(reason);
    }

    /// @dev Issuer of a key; there must be one.
    function _issuerOfKey(address key) internal view returns (uint32 issuer) {
        issuer = _keys[key].issuer;
        if (issuer == 0) revert UnknownKey(key);
    }

    /// @dev When a key stopped, or what it did became void, whichever is earlier; 0 if neither.
    function _cutOffOf(address key) internal view returns (uint40) {
        Key storage record = _keys[key];
        return _earlier(record.validUntil, record.compromisedAt);
    }

    /* PRIVATE */

    /// @dev Leaves the epoch that a compromised STATUS key could write, if it counts or would count next.
    function _abandonEpoch(uint32 issuer, uint16 epoch) private {
        uint16 current = _statusEpochOf(issuer);
        uint16 next = _nextStatusEpoch(issuer);
        if (epoch == current) _setStatusEpochs(issuer, next, uint256(next) + 1);
        else if (epoch == next) _setStatusEpochs(issuer, current, uint256(next) + 1);
    }

    function _requireControllerOf(address key) private view returns (Key storage record) {
        record = _keys[key];
        _requireController(_issuerOfKey(key), msg.sender);
    }

    function _requireEpochOfScope(uint32 issuer, uint8 scope, uint16 statusEpoch) private view {
        uint16 current = _statusEpochOf(issuer);
        if (scope == SCOPE_ANCHOR) {
            _requireNotWithdrawn(issuer);
            if (statusEpoch != 0) revert InvalidStatusEpoch(scope, statusEpoch, current);
        } else if (scope == SCOPE_STATUS) {
            if (statusEpoch != current && statusEpoch != _nextStatusEpoch(issuer)) {
                revert InvalidStatusEpoch(scope, statusEpoch, current);
            }
        } else {
            revert InvalidScope(scope);
        }
    }

    /// @dev The earlier of two times, of which 0 never comes.
    function _earlier(uint40 a, uint40 b) private pure returns (uint40) {
        if (a == 0) return b;
        return b == 0 || a < b ? a : b;
    }
}
