// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    ICredentialRegistry,
    MAX_REASON,
    SCOPE_ANCHOR,
    SCOPE_STATUS
} from "../../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../../Vm.sol";
import {Consent, Consents} from "../../support/Consent.sol";
import {HistoryReplay} from "../../support/HistoryReplay.sol";
import {Slots} from "../../support/Slots.sol";

/// @title Everybody who acts on the registry, rightly or not
/// @notice Picks actor, issuer and values at random, predicts from its own records ("ghosts") whether the call may
/// succeed, and fails if the registry disagrees. Ghosts change only when the rules say so: a key of the right scope, of
/// that issuer, now. So state that equals the ghosts was moved by nobody else.
contract RegistryHandler {
    uint256 public constant MAX_ISSUERS = 4;
    uint256 public constant MAX_KEYS = 12;
    // Small, so that calls meet the same roots and words again.
    uint256 public constant ROOTS = 6;
    uint32 public constant LISTS = 2;

    uint256 private constant _FIRST_KEY_PK = 0x1000;
    address private constant _ACCREDITOR = address(0xacc);
    address private constant _STRANGER = address(0xbad);

    ICredentialRegistry private immutable _registry;
    HistoryReplay private immutable _history;

    struct GhostKey {
        uint32 issuer;
        uint8 scope;
        uint16 epoch;
        uint256 validFrom;
    }

    address[] private _actors;
    mapping(address key => GhostKey) private _keys;

    uint32 public issuerCount;
    uint256 public keyCount;
    uint256 public batchCount;
    uint256 public statusCallCount;
    mapping(uint32 issuer => mapping(bytes32 root => bytes32)) public batchHash;
    mapping(uint256 slot => uint256) public bits;

    constructor(ICredentialRegistry registry, HistoryReplay history) {
        _registry = registry;
        _history = history;
        _actors.push(_STRANGER);
        _actors.push(_ACCREDITOR);
        // So that the first calls have somebody to act for.
        accredit(1);
        accredit(1);
        addKey(0, true, false, 0);
        addKey(0, false, false, 0);
        addKey(1, true, false, 0);
        addKey(1, false, false, 0);
    }

    /* ACTIONS */

    function accredit(uint256 actorSeed) public {
        if (issuerCount == MAX_ISSUERS) return;
        address actor = _actors[actorSeed % _actors.length];
        string memory did = string(abi.encodePacked("did:example:", bytes1(uint8(0x30 + issuerCount))));
        address controller = controllerOf(issuerCount + 1);
        vm.prank(actor);
        try _registry.accredit(did, controller) returns (uint32 issuer) {
            vm.assertEq(actor, _ACCREDITOR);
            vm.assertEq(issuer, ++issuerCount);
            _actors.push(controller);
        } catch {
            vm.assertTrue(actor != _ACCREDITOR, "the accreditor was refused");
        }
        _record();
    }

    function addKey(uint256 issuerSeed, bool anchors, bool staged, uint256 delay) public {
        if (keyCount == MAX_KEYS) return;
        uint32 issuer = _issuer(issuerSeed);
        uint256 privateKey = _FIRST_KEY_PK + keyCount;
        uint256 validFrom = delay % 3 == 0 ? 0 : vm.getBlockTimestamp() + delay % 1000;
        Consent memory consent = Consent({
            issuer: issuer,
            key: vm.addr(privateKey),
            scope: anchors ? SCOPE_ANCHOR : SCOPE_STATUS,
            statusEpoch: staged && !anchors ? 1 : 0,
            validFrom: uint40(validFrom),
            deadline: uint40(vm.getBlockTimestamp())
        });
        _addKey(consent, privateKey);
        ++keyCount;
        _actors.push(consent.key);
        _keys[consent.key] = GhostKey({
            issuer: issuer,
            scope: consent.scope,
            epoch: consent.statusEpoch,
            validFrom: validFrom == 0 ? vm.getBlockTimestamp() : validFrom
        });
        _record();
    }

    /// A thief of one key, and everybody else, tries to bind a key that is bound.
    function rebindKey(uint256 issuerSeed, uint256 keySeed, uint256 actorSeed) external {
        uint256 privateKey = _FIRST_KEY_PK + keySeed % keyCount;
        Consent memory consent = Consent({
            issuer: _issuer(issuerSeed),
            key: vm.addr(privateKey),
            scope: SCOPE_STATUS,
            statusEpoch: 0,
            validFrom: 0,
            deadline: uint40(vm.getBlockTimestamp())
        });
        bytes memory signature = Consents.sign(consent, privateKey, block.chainid, address(_registry));
        vm.prank(_actors[actorSeed % _actors.length]);
        try _registry.addKey(consent.issuer, consent.key, consent.scope, 0, 0, consent.deadline, signature) {
            vm.assertTrue(false, "a bound key was bound again");
        } catch {}
    }

    function anchor(uint256 actorSeed, uint256 issuerSeed, uint256 rootSeed, uint32 size) external {
        address actor = _actors[actorSeed % _actors.length];
        uint32 issuer = _issuer(issuerSeed);
        bytes32 root = rootAt(rootSeed % ROOTS);
        bool expected = _mayAct(actor, issuer, SCOPE_ANCHOR) && size != 0 && batchHash[issuer][root] == 0;
        vm.prank(actor);
        try _registry.anchor(issuer, root, size) {
            vm.assertTrue(expected, "anchored against the rules");
            ++batchCount;
            batchHash[issuer][root] = keccak256(
                abi.encode(
                    ICredentialRegistry.Batch({
                        key: actor,
                        anchoredAt: uint40(vm.getBlockTimestamp()),
                        size: size,
                        revokedReason: 0,
                        revokedEpoch: 0
                    })
                )
            );
        } catch {
            vm.assertFalse(expected);
        }
        _record();
    }

    function revoke(uint256 actorSeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks) external {
        _status(0, actorSeed, issuerSeed, place, masks);
    }

    function suspend(uint256 actorSeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks) external {
        _status(1, actorSeed, issuerSeed, place, masks);
    }

    function reinstate(uint256 actorSeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks) external {
        _status(2, actorSeed, issuerSeed, place, masks);
    }

    function passTime(uint256 delay) external {
        vm.warp(vm.getBlockTimestamp() + delay % 500);
    }

    /* VIEWS FOR THE INVARIANTS */

    function controllerOf(uint32 issuer) public pure returns (address) {
        return address(uint160(0xc000) + issuer);
    }

    function rootAt(uint256 index) public pure returns (bytes32) {
        return keccak256(abi.encode("root", index));
    }

    /// @notice The four words that status calls touch: both ends of a list, and two neighbours.
    function wordAt(uint256 index) public pure returns (uint16) {
        return [uint16(0), 7, 8, 511][index];
    }

    /* INTERNAL */

    function _status(uint256 action, uint256 actorSeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks)
        private
    {
        address actor = _actors[actorSeed % _actors.length];
        // Mostly for the actor's own issuer, so that enough calls succeed.
        uint32 issuer = issuerSeed % 4 == 0 || _keys[actor].issuer == 0 ? _issuer(issuerSeed >> 2) : _keys[actor].issuer;
        uint32 list = uint32(place % LISTS);
        (uint16[] memory words, uint256[] memory wanted) = _places(place, masks);
        bool expected = _mayAct(actor, issuer, SCOPE_STATUS);
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 old = bits[_slot(action, actor, issuer, list, words[i])];
            expected = expected && wanted[i] & (action == 2 ? old : ~old) != 0;
        }
        bool done = _call(action, actor, issuer, list, words, wanted, uint8(place % MAX_REASON) + 1);
        vm.assertEq(done, expected, "status call not decided by the rules");
        if (done) {
            ++statusCallCount;
            for (uint256 i = 0; i < words.length; ++i) {
                uint256 slot = _slot(action, actor, issuer, list, words[i]);
                bits[slot] = action == 2 ? bits[slot] & ~wanted[i] : bits[slot] | wanted[i];
            }
        }
        _record();
    }

    function _call(
        uint256 action,
        address actor,
        uint32 issuer,
        uint32 list,
        uint16[] memory words,
        uint256[] memory masks,
        uint8 reason
    ) private returns (bool) {
        bytes4 selector = [_registry.revoke.selector, _registry.suspend.selector, _registry.reinstate.selector][action];
        vm.prank(actor);
        (bool done,) = address(_registry).call(abi.encodeWithSelector(selector, issuer, list, words, masks, reason));
        return done;
    }

    /// @dev One or two of the four words, and what to change there: often few bits, so that they are met again.
    function _places(uint256 place, uint256[2] calldata masks)
        private
        pure
        returns (uint16[] memory words, uint256[] memory wanted)
    {
        uint256 first = (place >> 8) % 4;
        uint256 count = first < 3 && (place >> 16) % 2 == 0 ? 2 : 1;
        words = new uint16[](count);
        wanted = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            words[i] = wordAt(first + i);
            wanted[i] = (place >> 24) % 2 == 0 ? masks[i] & 0xf : masks[i];
        }
    }

    function _slot(uint256 action, address actor, uint32 issuer, uint32 list, uint16 word)
        private
        view
        returns (uint256)
    {
        return Slots.word(action == 0 ? Slots.REVOKED : Slots.SUSPENDED, issuer, _keys[actor].epoch, list, word);
    }

    function _mayAct(address actor, uint32 issuer, uint8 scope) private view returns (bool) {
        GhostKey storage key = _keys[actor];
        return key.issuer == issuer && key.scope == scope && key.validFrom <= vm.getBlockTimestamp();
    }

    function _addKey(Consent memory consent, uint256 privateKey) private {
        bytes memory signature = Consents.sign(consent, privateKey, block.chainid, address(_registry));
        vm.prank(controllerOf(consent.issuer));
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

    function _record() private {
        _history.take(vm.getRecordedLogs());
    }

    function _issuer(uint256 seed) private view returns (uint32) {
        return uint32(seed % issuerCount) + 1;
    }
}
