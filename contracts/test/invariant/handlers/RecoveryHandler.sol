// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_STATUS} from "../../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../../Vm.sol";
import {Consent} from "../../support/Consent.sol";
import {Relay, RelayedCall} from "../../support/RelayedCall.sol";
import {Slots} from "../../support/Slots.sol";
import {Rules} from "../Rules.sol";
import {Witness} from "../Witness.sol";
import {Handler} from "./Handler.sol";
import {KeyHandler} from "./KeyHandler.sol";

/// @title An issuer whose STATUS key was stolen changes to another status epoch, as the interface says
contract RecoveryHandler is KeyHandler {
    constructor(ICredentialRegistry registry, Rules rules, Witness witness) Handler(registry, rules, witness) {}

    /// Every honest revocation counts at each step; at the end nothing of a thief's does.
    function recover(uint256 issuerSeed) external witnessed {
        uint32 issuer = _issuer(issuerSeed);
        uint16 epoch = _rules.issuerOf(issuer).statusEpoch;
        if (_stolen(issuer, epoch) == address(0) || _rules.keyCount() == _rules.MAX_KEYS()) return;
        _abandonStolen(issuer, _rules.nextEpoch(issuer));
        address fresh = _stage(issuer);
        _repeat(fresh, epoch, Relay.REVOKE);
        _repeat(fresh, epoch, Relay.SUSPEND);
        _requireHonestCount(issuer, epoch);
        _abandonStolen(issuer, epoch);
        _requireHonestCount(issuer, epoch);
        _requireOnlyHonestCount(issuer);
    }

    /* STEPS */

    function _abandonStolen(uint32 issuer, uint16 epoch) private {
        for (address key = _stolen(issuer, epoch); key != address(0); key = _stolen(issuer, epoch)) {
            _compromise(_rules.issuerOf(issuer).controller, key, _sinceOf(key));
        }
    }

    function _stage(uint32 issuer) private returns (address fresh) {
        uint256 privateKey = _rules.privateKeyAt(_rules.keyCount());
        fresh = vm.addr(privateKey);
        Consent memory consent = Consent({
            issuer: issuer,
            key: fresh,
            scope: SCOPE_STATUS,
            statusEpoch: _rules.nextEpoch(issuer),
            validFrom: 0,
            deadline: _now()
        });
        _addKey(_rules.issuerOf(issuer).controller, consent, privateKey);
    }

    function _repeat(address fresh, uint16 epoch, Relay relay) private {
        for (uint256 i = 0; i < _rules.LISTS() * _rules.WORDS(); ++i) {
            RelayedCall memory call;
            (call.relay, call.key, call.issuer) = (relay, fresh, _rules.keyOf(fresh).issuer);
            (call.list, call.words, call.masks) = (_listAt(i), new uint16[](1), new uint256[](1));
            (call.words[0], call.reason) = (_rules.wordAt(i % _rules.WORDS()), 1);
            uint256 base = relay == Relay.REVOKE ? Slots.REVOKED : Slots.SUSPENDED;
            uint256 old = _slotAt(base, call.issuer, epoch, i);
            uint256 repeated = _rules.bits(_slotAt(base, call.issuer, _rules.keyOf(fresh).statusEpoch, i));
            call.masks[0] = _rules.honestBits(old) & _rules.bits(old) & ~repeated;
            if (call.masks[0] != 0) _send(call, false);
        }
    }

    /* CHECKS */

    function _requireHonestCount(uint32 issuer, uint16 stolenEpoch) private view {
        uint16 epoch = _registry.issuerOf(issuer).statusEpoch;
        for (uint256 i = 0; i < _rules.LISTS() * _rules.WORDS(); ++i) {
            uint256 honest = _rules.honestBits(_slotAt(Slots.REVOKED, issuer, stolenEpoch, i));
            uint256 counts = Slots.read(address(_registry), _slotAt(Slots.REVOKED, issuer, epoch, i));
            vm.assertEq(honest & ~counts, 0, "an honest revocation did not count for a while");
        }
    }

    function _requireOnlyHonestCount(uint32 issuer) private view {
        uint16 epoch = _registry.issuerOf(issuer).statusEpoch;
        for (uint256 i = 0; i < _rules.LISTS() * _rules.WORDS(); ++i) {
            uint256 slot = _slotAt(Slots.REVOKED, issuer, epoch, i);
            uint256 counts = Slots.read(address(_registry), slot);
            vm.assertEq(counts & ~_rules.honestBits(slot), 0, "a thief's revocation outlived the recovery");
        }
    }

    /* WHO AND WHERE */

    /// @dev A STATUS key of the epoch that a thief could have used, and that is not declared compromised.
    function _stolen(uint32 issuer, uint16 epoch) private view returns (address) {
        for (uint256 i = 0; i < _rules.keyCount(); ++i) {
            address key = _rules.keyAt(i);
            if (_rules.stolenAt(key) == 0) continue;
            ICredentialRegistry.Key memory record = _rules.keyOf(key);
            if (record.issuer != issuer || record.scope != SCOPE_STATUS || record.statusEpoch != epoch) continue;
            uint40 cutOff = _rules.cutOffOf(key);
            if (record.validFrom <= _now() && (cutOff == 0 || _sinceOf(key) < cutOff)) return key;
        }
        return address(0);
    }

    function _sinceOf(address key) private view returns (uint40) {
        uint40 validFrom = _rules.keyOf(key).validFrom;
        uint40 stolenAt = _rules.stolenAt(key);
        return stolenAt < validFrom ? validFrom : stolenAt;
    }

    function _listAt(uint256 i) private view returns (uint32) {
        return uint32(i / _rules.WORDS());
    }

    function _slotAt(uint256 base, uint32 issuer, uint16 epoch, uint256 i) private view returns (uint256) {
        return Slots.word(base, issuer, epoch, _listAt(i), _rules.wordAt(i % _rules.WORDS()));
    }
}
