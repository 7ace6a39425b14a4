// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {Rules} from "./Rules.sol";

/// @title Looks at the registry after each call and remembers it until the next: what may move one way only
/// @dev Knows no rules of who may do what; only what nobody may do.
contract Witness {
    ICredentialRegistry private immutable _registry;
    Rules private immutable _rules;

    mapping(uint32 issuer => ICredentialRegistry.Issuer) private _issuers;
    mapping(uint32 issuer => uint16) private _nextEpochs;
    mapping(address key => ICredentialRegistry.Key) private _keys;
    mapping(address key => uint256) private _nonces;

    constructor(ICredentialRegistry registry, Rules rules) {
        _registry = registry;
        _rules = rules;
    }

    function look() external {
        uint32 count = _registry.issuerCount();
        for (uint32 id = 1; id <= count; ++id) {
            _lookAtIssuer(id, count);
        }
        for (uint256 i = 0; i < _rules.keyCount(); ++i) {
            _lookAtKey(_rules.keyAt(i));
        }
    }

    function _lookAtIssuer(uint32 id, uint32 count) private {
        ICredentialRegistry.Issuer memory record = _registry.issuerOf(id);
        ICredentialRegistry.Issuer memory before = _issuers[id];
        uint16 next = _registry.nextStatusEpochOf(id);
        if (before.accreditedAt != 0) {
            vm.assertEq(record.accreditedAt, before.accreditedAt, "an issuer changed when it was admitted");
            vm.assertEq(record.didHash, before.didHash, "an issuer changed its DID");
            _requireEarlier(record.withdrawnAt, before.withdrawnAt);
            vm.assertLe(before.statusEpoch, record.statusEpoch, "a status epoch went back");
            vm.assertLe(_nextEpochs[id], next, "a next status epoch went back");
        }
        vm.assertLe(uint256(record.statusEpoch) + 1, next, "the next status epoch is not after the current one");
        vm.assertEq(_registry.issuerOfDid(record.didHash), id, "one DID, two issuers");
        for (uint32 other = id + 1; other <= count; ++other) {
            vm.assertTrue(_registry.issuerOf(other).didHash != record.didHash, "one DID, two issuers");
        }
        _issuers[id] = record;
        _nextEpochs[id] = next;
    }

    function _lookAtKey(address key) private {
        ICredentialRegistry.Key memory record = _registry.keyOf(key);
        ICredentialRegistry.Key memory before = _keys[key];
        uint256 nonce = _registry.nonceOf(key);
        if (before.issuer != 0) {
            bool isSame = record.issuer == before.issuer && record.scope == before.scope
                && record.statusEpoch == before.statusEpoch && record.validFrom == before.validFrom;
            vm.assertTrue(isSame, "a key changed its issuer, scope, epoch or start");
            _requireEarlier(record.validUntil, before.validUntil);
            _requireEarlier(record.compromisedAt, before.compromisedAt);
            vm.assertLe(_nonces[key], nonce, "a nonce went back");
        }
        _keys[key] = record;
        _nonces[key] = nonce;
    }

    function _requireEarlier(uint40 current, uint40 before) private pure {
        vm.assertTrue(before == 0 || (current != 0 && current <= before), "a cut-off moved later");
    }
}
