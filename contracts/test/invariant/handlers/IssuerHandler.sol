// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../../Vm.sol";
import {Consent} from "../../support/Consent.sol";
import {Rules} from "../Rules.sol";
import {Witness} from "../Witness.sol";
import {Handler} from "./Handler.sol";

/// @title Admin, accreditors and controllers, and those who would like to be; and time
contract IssuerHandler is Handler {
    bytes32 private constant _ACCREDITOR_ROLE = keccak256("credanchor/role/accreditor");

    /// @dev Longest time that one step passes, in seconds: then calls of one block, and within a key's life, are common.
    uint256 private constant _STEP = 1000;

    constructor(ICredentialRegistry registry, Rules rules, Witness witness) Handler(registry, rules, witness) {
        rules.setAccreditor(accreditorAt(0), true);
        // So that the first calls have somebody to act for.
        changeRole(1, 9);
        for (uint256 i = 1; i <= 2; ++i) {
            accredit(1, i);
            addKey(1, i - 1, 1, 1);
            addKey(1, i - 1, 0, 1);
        }
    }

    /* ADMIN AND ACCREDITORS */

    function changeRole(uint256 actorSeed, uint256 choice) public witnessed {
        address account = accreditorAt(choice >> 3);
        // Mostly given: without accreditors nothing moves.
        bool granted = choice % 8 != 0;
        IAccessControl roles = IAccessControl(address(_registry));
        address actor = _mostly(ADMIN, actorSeed);
        if (_expect(_rules.ofRoleChange(actor, ADMIN))) _rules.setAccreditor(account, granted);
        vm.prank(actor);
        if (granted) roles.grantRole(_ACCREDITOR_ROLE, account);
        else roles.revokeRole(_ACCREDITOR_ROLE, account);
    }

    function accredit(uint256 actorSeed, uint256 didSeed) public witnessed {
        // As many DIDs as issuers: most are tried again.
        bytes1 last = bytes1(uint8(0x30 + didSeed % _rules.MAX_ISSUERS()));
        string memory did = string(abi.encodePacked("did:example:", last));
        bytes32 didHash = keccak256(bytes(did));
        address controller = controllerAt(_rules.issuerCount());
        address actor = _mostly(accreditorAt(actorSeed >> 3), actorSeed);
        if (_expect(_rules.ofAccredit(actor, didHash))) _rules.addIssuer(didHash, controller);
        vm.prank(actor);
        _registry.accredit(did, controller);
    }

    /// Mostly far ahead, so that issuers live, and the end can be moved.
    function withdraw(uint256 actorSeed, uint256 issuerSeed, uint256 delay, uint256 reasonSeed) external witnessed {
        uint32 issuer = _issuer(issuerSeed);
        uint40 at = _now() - 1 + uint40(delay % (delay % 8 == 0 ? 4 : 100_000));
        if (delay % 16 == 1) at = 0;
        uint8 reason = _reason(reasonSeed);
        address actor = _mostly(accreditorAt(actorSeed >> 3), actorSeed);
        if (_expect(_rules.ofWithdraw(actor, issuer, at, reason))) {
            _rules.setWithdrawnAt(issuer, at == 0 ? _now() + 1 : at);
        }
        vm.prank(actor);
        _registry.withdraw(issuer, at, reason);
    }

    /* CONTROLLERS */

    function offerControl(uint256 actorSeed, uint256 issuerSeed, uint256 choice) external witnessed {
        uint32 issuer = _issuer(issuerSeed);
        address to = choice % 8 == 0 ? address(0) : controllerAt(choice >> 3);
        address actor = _mostly(_rules.issuerOf(issuer).controller, actorSeed);
        if (_expect(_rules.ofOffer(actor, issuer, to))) _rules.offer(issuer, to);
        vm.prank(actor);
        _registry.transferController(issuer, to);
    }

    function acceptControl(uint256 actorSeed, uint256 issuerSeed) external witnessed {
        uint32 issuer = _issuer(issuerSeed);
        address offeredTo = _rules.offeredTo(issuer);
        address actor = offeredTo == address(0) ? _anybody(actorSeed) : _mostly(offeredTo, actorSeed);
        if (_expect(_rules.ofAccept(actor, issuer))) _rules.setController(issuer, actor);
        vm.prank(actor);
        _registry.acceptController(issuer);
    }

    function addKey(uint256 actorSeed, uint256 issuerSeed, uint256 kind, uint256 delay) public witnessed {
        uint256 privateKey = _rules.privateKeyAt(_rules.keyCount());
        Consent memory consent = _consent(issuerSeed, vm.addr(privateKey), kind);
        if (delay % 3 == 0) consent.validFrom = _now() - 1 + uint40((delay >> 8) % (delay % 4 == 0 ? 3 : 1000));
        // Once there are enough keys, only who may not add one.
        bool isFull = _rules.keyCount() == _rules.MAX_KEYS();
        address actor = isFull ? STRANGER : _mostly(_rules.issuerOf(consent.issuer).controller, actorSeed);
        _addKey(actor, consent, privateKey);
    }

    /// A key that is bound consents to be bound again.
    function rebindKey(uint256 actorSeed, uint256 issuerSeed, uint256 keySeed, uint256 kind) external witnessed {
        uint256 index = keySeed % _rules.keyCount();
        Consent memory consent = _consent(issuerSeed, _rules.keyAt(index), kind);
        _addKey(_mostly(_rules.issuerOf(consent.issuer).controller, actorSeed), consent, _rules.privateKeyAt(index));
    }

    function retireKey(uint256 actorSeed, uint256 keySeed) external witnessed {
        address key = _anyKey(keySeed);
        address actor = _seldom(_controllerOf(key), actorSeed);
        if (_expect(_rules.ofRetire(actor, key))) _rules.retire(key);
        vm.prank(actor);
        _registry.retireKey(key);
    }

    function compromiseKey(uint256 actorSeed, uint256 keySeed, uint256 sinceSeed) external witnessed {
        address key = _anyKey(keySeed);
        uint40 first = _rules.keyOf(key).validFrom - 1;
        uint40 last = _now() + 1;
        // From a second too early to one too late, if there are so many.
        uint40 since = last < first ? last : first + uint40(sinceSeed % (last - first + 1));
        _compromise(_seldom(_controllerOf(key), actorSeed), key, since);
    }

    function cancelNonces(uint256 actorSeed, uint256 keySeed, uint256 count) external witnessed {
        address key = _anyKey(keySeed);
        address actor = _mostly(actorSeed % 2 == 0 ? key : _controllerOf(key), actorSeed >> 1);
        uint256 nonce = _rules.nonces(key) + count % (count % 4 == 0 ? 1100 : 3);
        if (_expect(_rules.ofCancel(actor, key, nonce))) _rules.setNonce(key, nonce);
        vm.prank(actor);
        _registry.cancelNonces(key, nonce);
    }

    /* TIME */

    function passTime(uint256 delay) external {
        vm.warp(vm.getBlockTimestamp() + delay % _STEP);
    }

    /* PRIVATE */

    function _consent(uint256 issuerSeed, address key, uint256 kind) private view returns (Consent memory) {
        uint32 issuer = _issuer(issuerSeed);
        bool anchors = kind % 2 == 1;
        uint16 epoch = kind % 4 == 0 ? _rules.nextEpoch(issuer) : _rules.issuerOf(issuer).statusEpoch;
        // Now and then an epoch that cannot be written.
        if (issuerSeed % 16 == 15) ++epoch;
        return Consent({
            issuer: issuer,
            key: key,
            scope: anchors ? SCOPE_ANCHOR : SCOPE_STATUS,
            statusEpoch: anchors ? 0 : epoch,
            validFrom: 0,
            deadline: _now()
        });
    }

    function _controllerOf(address key) private view returns (address) {
        return _rules.issuerOf(_rules.keyOf(key).issuer).controller;
    }
}
