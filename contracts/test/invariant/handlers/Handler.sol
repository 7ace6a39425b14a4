// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, MAX_REASON} from "../../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../../Vm.sol";
import {Consent, Consents} from "../../support/Consent.sol";
import {Rules} from "../Rules.sol";
import {Witness} from "../Witness.sol";

/// @title What handlers share: who there is, and that each call is expected to succeed, or to be refused just so
abstract contract Handler {
    address public constant ADMIN = address(0xad);
    address public constant STRANGER = address(0xbad);
    uint256 private constant _CONTROLLERS = 5;

    ICredentialRegistry internal immutable _registry;
    Rules internal immutable _rules;
    Witness private immutable _witness;

    /// @notice How often each function of the handler made a call that succeeded, or one that was refused.
    mapping(bytes4 selector => uint256) public done;
    mapping(bytes4 selector => uint256) public refused;

    constructor(ICredentialRegistry registry, Rules rules, Witness witness) {
        _registry = registry;
        _rules = rules;
        _witness = witness;
    }

    modifier witnessed() {
        _;
        _witness.look();
    }

    /* EXPECTATIONS */

    /// @dev Announces the next call: whether it must succeed or with what it must be refused.
    function _expect(bytes memory error) internal returns (bool allowed) {
        allowed = error.length == 0;
        if (allowed) {
            ++done[msg.sig];
        } else {
            ++refused[msg.sig];
            vm.expectRevert(error);
        }
    }

    /* WHO */

    function accreditorAt(uint256 index) public pure returns (address) {
        return address(uint160(0xacc0 + index % 2));
    }

    function controllerAt(uint256 index) public pure returns (address) {
        return address(uint160(0xc000 + index % _CONTROLLERS));
    }

    /// @dev Mostly who has the right, so that enough calls succeed.
    function _mostly(address rightful, uint256 seed) internal view returns (address) {
        return seed % 8 == 0 ? _anybody(seed >> 3) : rightful;
    }

    /// @dev For what ends a key: as often as keys are added.
    function _seldom(address rightful, uint256 seed) internal view returns (address) {
        return seed % 3 == 0 ? rightful : _anybody(seed >> 2);
    }

    function _anybody(uint256 seed) internal view returns (address) {
        uint256 kind = seed % 5;
        seed >>= 3;
        if (kind == 0) return STRANGER;
        if (kind == 1) return ADMIN;
        if (kind == 2) return accreditorAt(seed);
        if (kind == 3 || _rules.keyCount() == 0) return controllerAt(seed);
        return _anyKey(seed);
    }

    function _anyKey(uint256 seed) internal view returns (address) {
        return _rules.keyAt(seed % _rules.keyCount());
    }

    function _issuer(uint256 seed) internal view returns (uint32) {
        return uint32(seed % _rules.issuerCount()) + 1;
    }

    /// @dev Now and then none that there is.
    function _reason(uint256 seed) internal pure returns (uint8) {
        return uint8(seed % 16 == 0 ? seed : seed % MAX_REASON + 1);
    }

    function _now() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    /* CALLS OF BOTH HANDLERS */

    /// @dev As the controller or somebody else, the key being new or not.
    function _addKey(address actor, Consent memory consent, uint256 privateKey) internal {
        bytes memory signature = Consents.sign(consent, privateKey, block.chainid, address(_registry));
        if (_expect(_rules.ofAddKey(actor, consent))) {
            _rules.addKey(
                consent.key,
                ICredentialRegistry.Key({
                    issuer: consent.issuer,
                    validFrom: consent.validFrom == 0 ? _now() : consent.validFrom,
                    validUntil: 0,
                    compromisedAt: 0,
                    scope: consent.scope,
                    statusEpoch: consent.statusEpoch
                })
            );
        }
        vm.prank(actor);
        _registry.addKey(
            consent.issuer,
            consent.key,
            consent.scope,
            consent.statusEpoch,
            consent.validFrom,
            consent.deadline,
            signature
        );
    }

    function _compromise(address actor, address key, uint40 since) internal {
        if (_expect(_rules.ofCompromise(actor, key, since))) _rules.compromise(key, since);
        vm.prank(actor);
        _registry.compromiseKey(key, since);
    }
}
