// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {Slots} from "../support/Slots.sol";
import {Rules} from "./Rules.sol";

/// @title Looks at the registry after each call and remembers it until the next: what may move one way only
/// @dev Knows no rules of who may do what; only what nobody may do.
contract Witness {
    ICredentialRegistry private immutable _registry;
    Rules private immutable _rules;

    // Storage words, as state proofs carry them: the views are compared with them elsewhere.
    mapping(uint256 slot => uint256) private _seen;
    mapping(address key => uint256) private _nonces;
    mapping(uint32 issuer => uint16) private _nextEpochs;

    constructor(ICredentialRegistry registry, Rules rules) {
        _registry = registry;
        _rules = rules;
    }

    function look() external {
        uint32 count = _registry.issuerCount();
        for (uint32 id = 1; id <= count; ++id) {
            _lookAtIssuer(id, count);
        }
        uint256 keyCount = _rules.keyCount();
        for (uint256 i = 0; i < keyCount; ++i) {
            _lookAtKey(_rules.keyAt(i));
        }
    }

    /// @dev Bits: controller 0-159, accreditedAt 160-199, withdrawnAt 200-239, statusEpoch 240-255; then the DID's hash.
    function _lookAtIssuer(uint32 id, uint32 count) private {
        uint256 slot = Slots.issuer(id);
        (uint256 record, uint256 before) = _look(slot);
        (uint256 didHash, uint256 didHashBefore) = _look(slot + 1);
        uint16 next = _registry.nextStatusEpochOf(id);
        if (before != 0) {
            vm.assertEq(_part(record, 160, 40), _part(before, 160, 40), "an issuer changed when it was admitted");
            vm.assertEq(didHash, didHashBefore, "an issuer changed its DID");
            _requireEarlier(_part(record, 200, 40), _part(before, 200, 40));
            vm.assertLe(before >> 240, record >> 240, "a status epoch went back");
            vm.assertLe(_nextEpochs[id], next, "a next status epoch went back");
        }
        vm.assertLe((record >> 240) + 1, next, "the next status epoch is not after the current one");
        vm.assertEq(_registry.issuerOfDid(bytes32(didHash)), id, "one DID, two issuers");
        for (uint32 other = id + 1; other <= count; ++other) {
            vm.assertTrue(_read(Slots.issuer(other) + 1) != didHash, "one DID, two issuers");
        }
        _nextEpochs[id] = next;
    }

    /// @dev Bits: issuer 0-31, validFrom 32-71, validUntil 72-111, compromisedAt 112-151, scope 152-159, epoch 160-175.
    function _lookAtKey(address key) private {
        (uint256 record, uint256 before) = _look(Slots.key(key));
        uint256 nonce = _registry.nonceOf(key);
        if (before != 0) {
            bool isSame = _part(record, 0, 72) == _part(before, 0, 72) && record >> 152 == before >> 152;
            vm.assertTrue(isSame, "a key changed its issuer, scope, epoch or start");
            _requireEarlier(_part(record, 72, 40), _part(before, 72, 40));
            _requireEarlier(_part(record, 112, 40), _part(before, 112, 40));
            vm.assertLe(_nonces[key], nonce, "a nonce went back");
        }
        if (nonce != _nonces[key]) _nonces[key] = nonce;
    }

    function _look(uint256 slot) private returns (uint256 current, uint256 before) {
        (current, before) = (_read(slot), _seen[slot]);
        if (current != before) _seen[slot] = current;
    }

    function _read(uint256 slot) private view returns (uint256) {
        return Slots.read(address(_registry), slot);
    }

    function _requireEarlier(uint256 current, uint256 before) private pure {
        vm.assertTrue(before == 0 || (current != 0 && current <= before), "a cut-off moved later");
    }

    function _part(uint256 word, uint256 shift, uint256 width) private pure returns (uint256) {
        return (word >> shift) & ((uint256(1) << width) - 1);
    }
}
