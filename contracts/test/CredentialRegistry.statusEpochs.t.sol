// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";

/// @title What a stolen STATUS key did, undone
contract StatusEpochsTest is RegistryTest {
    uint16 private constant _LAST = type(uint16).max;

    // Private keys of more STATUS keys; the n-th is added as this + n.
    uint256 private constant _MORE_PK = 0x5000;

    /* MOVING */

    function test_statusEpochs_startAtZeroAndOne() public view {
        _assertEpochs(ISSUER, 0, 1);
    }

    /// Two events, each in the head: the compromise, and what it changed.
    function test_compromiseKey_ofCurrentEpochMovesToTheNext() public {
        vm.warp(START + 50);
        bytes32 registryHead = registry.registryHead();
        bytes32 head = _expectCompromisedAndChanged(statusKey, START + 20, 1, 2);
        _compromiseKey(controller, statusKey, START + 20);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        _assertEpochs(ISSUER, 1, 2);
        _assertEpochs(OTHER_ISSUER, 0, 1);
        _audit();
    }

    /// The remedy of ICredentialRegistry: stage, repeat what was honest, move. The thief's bits count no more.
    function test_compromiseKey_undoesWhatTheThiefDid() public {
        _revoke(statusKey, 1);
        _suspend(statusKey, 1);
        _revoke(statusKey, 2); // the thief
        _suspend(statusKey, 4); // the thief
        address staged = _addStatusKey(0, 1);
        _revoke(staged, 1);
        _suspend(staged, 1);
        _assertBits(3, 5);
        _compromiseKey(controller, statusKey, START);
        _assertBits(1, 1);
        vm.prank(staged);
        registry.reinstate(ISSUER, 0, _words(0), _masks(1), 1);
        _assertBits(1, 0);
        _audit();
    }

    /// Bits of a staged epoch do not count before their time, nor do they mix with those of the current one.
    function test_statusEpochs_areApart() public {
        address staged = _addStatusKey(0, 1);
        _revoke(staged, 6);
        _suspend(staged, 6);
        _assertBits(0, 0);
        // What is set in one epoch can be set in the other, and not lifted there.
        _revoke(statusKey, 2);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, 0, 0));
        vm.prank(statusKey);
        registry.reinstate(ISSUER, 0, _words(0), _masks(2), 1);
        _assertBits(2, 0);
        _compromiseKey(controller, statusKey, START);
        _assertBits(6, 6);
        _audit();
    }

    /// Without a staged key the next epoch starts empty; it is filled afterwards.
    function test_compromiseKey_movesWithoutStagedKey() public {
        _revoke(statusKey, 1);
        _compromiseKey(controller, statusKey, START);
        _assertBits(0, 0);
        address next = _addStatusKey(0, 1);
        _revoke(next, 1);
        _assertBits(1, 0);
        _audit();
    }

    /// A retired key can turn out to have been stolen before.
    function test_compromiseKey_ofRetiredKeyOfCurrentEpochMoves() public {
        _retireKey(controller, statusKey);
        vm.warp(START + 9);
        _compromiseKey(controller, statusKey, START);
        _assertEpochs(ISSUER, 1, 2);
        _audit();
    }

    /// One head extension, not two: the epoch is left already.
    function test_compromiseKey_againMovesNoFurther() public {
        vm.warp(START + 50);
        _compromiseKey(controller, statusKey, START + 20);
        bytes32 head = _headAfter(ISSUER, _compromisedHash(statusKey, START + 10));
        _compromiseKey(controller, statusKey, START + 10);
        vm.assertEq(_headOf(ISSUER), head);
        _assertEpochs(ISSUER, 1, 2);
        _audit();
    }

    function test_compromiseKey_ofAnchorKeyMovesNothing() public {
        _compromiseKey(controller, anchorKey, START);
        _assertEpochs(ISSUER, 0, 1);
        _audit();
    }

    /* SKIPPING */

    /// The thief of a staged key has prepared the next epoch: it never counts, another one comes next.
    function test_compromiseKey_ofStagedEpochSkipsIt() public {
        address staged = _addStatusKey(0, 1);
        _revoke(staged, 7);
        vm.warp(START + 50);
        bytes32 head = _expectCompromisedAndChanged(staged, START + 20, 0, 2);
        _compromiseKey(controller, staged, START + 20);
        vm.assertEq(_headOf(ISSUER), head);
        _assertEpochs(ISSUER, 0, 2);
        _revoke(statusKey, 8);
        _compromiseKey(controller, statusKey, START + 50);
        _assertEpochs(ISSUER, 2, 3);
        _assertBits(0, 0);
        _audit();
    }

    function test_compromiseKey_ofStagedThenCurrent() public {
        address staged = _addStatusKey(0, 1);
        _compromiseKey(controller, staged, START);
        address stagedAnew = _addStatusKey(1, 2);
        _revoke(stagedAnew, 4);
        _compromiseKey(controller, statusKey, START);
        _assertEpochs(ISSUER, 2, 3);
        _assertBits(4, 0);
        _revoke(stagedAnew, 8);
        _assertBits(12, 0);
        _audit();
    }

    /// In the other order the stolen epoch counts for a moment, until it is declared stolen itself.
    function test_compromiseKey_ofCurrentThenStaged() public {
        address staged = _addStatusKey(0, 1);
        _revoke(staged, 7);
        _compromiseKey(controller, statusKey, START);
        _assertEpochs(ISSUER, 1, 2);
        _assertBits(7, 0);
        _compromiseKey(controller, staged, START);
        _assertEpochs(ISSUER, 2, 3);
        _assertBits(0, 0);
        _audit();
    }

    function test_compromiseKey_ofSkippedEpochMovesNothing() public {
        address first = _addStatusKey(0, 1);
        address second = _addStatusKey(1, 1);
        _compromiseKey(controller, first, START);
        bytes32 head = _headAfter(ISSUER, _compromisedHash(second, START));
        _compromiseKey(controller, second, START);
        vm.assertEq(_headOf(ISSUER), head);
        _assertEpochs(ISSUER, 0, 2);
        _audit();
    }

    /* SEVERAL THIEVES */

    function test_compromiseKey_ofTwoKeysOfTheSameEpochMovesOnce() public {
        address second = _addStatusKey(0, 0);
        _revoke(statusKey, 1);
        _revoke(second, 2);
        address staged = _addStatusKey(1, 1);
        _compromiseKey(controller, statusKey, START);
        _compromiseKey(controller, second, START);
        _assertEpochs(ISSUER, 1, 2);
        _assertBits(0, 0);
        _revoke(staged, 4);
        _assertBits(4, 0);
        _audit();
    }

    /// An honest second key of the epoch goes out with it: its word cannot be told from the thief's.
    function test_compromiseKey_endsTheOtherKeysOfItsEpoch() public {
        address honest = _addStatusKey(0, 0);
        _compromiseKey(controller, statusKey, START);
        _expectEachOver(honest, 0, 1);
        _audit();
    }

    function test_compromiseKey_ofThreeGenerations() public {
        address[4] memory keys;
        keys[0] = statusKey;
        for (uint16 i = 1; i < 4; ++i) {
            keys[i] = _addStatusKey(i, i);
            _compromiseKey(controller, keys[i - 1], START);
            _assertEpochs(ISSUER, i, i + 1);
            _revoke(keys[i], uint256(1) << i);
            _assertBits(uint256(1) << i, 0);
        }
        _audit();
    }

    /* REFUSED */

    function test_status_revertsWithStatusEpochOverOfLeftEpoch() public {
        address second = _addStatusKey(0, 0);
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _suspend(second, 1);
        _compromiseKey(controller, statusKey, START);
        _expectEachOver(second, 0, 1);
        // Nor two epochs later.
        _compromiseKey(controller, _addStatusKey(1, 1), START);
        _expectEachOver(second, 0, 2);
    }

    function test_status_revertsWithStatusEpochOverOfSkippedEpoch() public {
        address first = _addStatusKey(0, 1);
        address second = _addStatusKey(1, 1);
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _compromiseKey(controller, first, START);
        _expectEachOver(second, 1, 0);
        _compromiseKey(controller, statusKey, START);
        _expectEachOver(second, 1, 2);
    }

    function test_fuzz_status_revertsWithStatusEpochOver(uint16 current, uint16 next) public {
        vm.assume(next != 0 && current != 0);
        Slots.setStatusEpochs(address(registry), ISSUER, current, next);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.StatusEpochOver.selector, statusKey, 0, current));
        _revoke(statusKey, 1);
    }

    function test_nextStatusEpochOf_revertsWithUnknownIssuer() public {
        uint32[3] memory unknown = [uint32(0), 3, type(uint32).max];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]));
            registry.nextStatusEpochOf(unknown[i]);
        }
    }

    /* EXHAUSTED */

    function test_compromiseKey_takesTheLastEpochs() public {
        Slots.setStatusEpochs(address(registry), ISSUER, _LAST - 2, _LAST - 1);
        address key = _addStatusKey(0, _LAST - 2);
        bytes32 head = _expectCompromisedAndChanged(key, START, _LAST - 1, _LAST);
        _compromiseKey(controller, key, START);
        vm.assertEq(_headOf(ISSUER), head);
        _assertEpochs(ISSUER, _LAST - 1, _LAST);
    }

    function test_compromiseKey_revertsWithStatusEpochsExhausted() public {
        Slots.setStatusEpochs(address(registry), ISSUER, _LAST - 1, _LAST);
        address[2] memory keys = [_addStatusKey(0, _LAST - 1), _addStatusKey(1, _LAST)];
        bytes32 head = _headOf(ISSUER);
        for (uint256 i = 0; i < keys.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.StatusEpochsExhausted.selector, ISSUER));
            _compromiseKey(controller, keys[i], START);
            vm.assertEq(registry.keyOf(keys[i]).compromisedAt, 0);
        }
        _assertEpochs(ISSUER, _LAST - 1, _LAST);
        vm.assertEq(_headOf(ISSUER), head);
        // What is left to do; and keys of other epochs and scopes can be compromised as ever.
        _retireKey(controller, keys[0]);
        _compromiseKey(controller, statusKey, START);
        _compromiseKey(controller, anchorKey, START);
        _assertEpochs(ISSUER, _LAST - 1, _LAST);
    }

    /* AGAINST A NAIVE MODEL */

    /// Random keys of random epochs, stolen in random order: at any time the bits that count are those of the current
    /// epoch, no epoch comes back, and none counts in which a compromised key could write.
    function test_fuzz_statusEpochs_neverComeBack(uint8[10] calldata choices) public {
        uint16 current = 0;
        uint16 next = 1;
        address[] memory keys = new address[](choices.length + 1);
        keys[0] = statusKey;
        for (uint256 i = 0; i < choices.length; ++i) {
            keys[i + 1] = _addStatusKey(i, choices[i] & 1 == 0 ? current : next);
            address stolen = keys[(choices[i] >> 1) % (i + 2)];
            ICredentialRegistry.Key memory record = registry.keyOf(stolen);
            if (record.compromisedAt != 0) continue;
            _compromiseKey(controller, stolen, START);
            if (record.statusEpoch == current) (current, next) = (next, next + 1);
            else if (record.statusEpoch == next) next = next + 1;
            _assertEpochs(ISSUER, current, next);
        }
        for (uint256 i = 0; i < keys.length; ++i) {
            ICredentialRegistry.Key memory record = registry.keyOf(keys[i]);
            bool mayWrite = record.statusEpoch == current || record.statusEpoch == next;
            if (record.compromisedAt != 0) {
                vm.assertFalse(mayWrite);
                vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, keys[i], START));
            } else if (!mayWrite) {
                _expectOver(keys[i], record.statusEpoch, current);
            }
            _revoke(keys[i], uint256(1) << i);
            bool counts = record.compromisedAt == 0 && record.statusEpoch == current;
            vm.assertEq(registry.isRevoked(ISSUER, 0, i), counts, "revoked");
        }
        _audit();
    }

    /* CALLS */

    function _addStatusKey(uint256 number, uint16 epoch) private returns (address key) {
        key = vm.addr(_MORE_PK + number);
        _addKey(controller, _consent(ISSUER, key, SCOPE_STATUS, epoch), _MORE_PK + number);
    }

    function _revoke(address who, uint256 mask) private {
        vm.prank(who);
        registry.revoke(ISSUER, 0, _words(0), _masks(mask), 1);
    }

    function _suspend(address who, uint256 mask) private {
        vm.prank(who);
        registry.suspend(ISSUER, 0, _words(0), _masks(mask), 1);
    }

    function _expectOver(address key, uint16 epoch, uint16 current) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.StatusEpochOver.selector, key, epoch, current));
    }

    function _expectEachOver(address key, uint16 epoch, uint16 current) private {
        _expectOver(key, epoch, current);
        _revoke(key, 1);
        _expectOver(key, epoch, current);
        _suspend(key, 2);
        _expectOver(key, epoch, current);
        vm.prank(key);
        registry.reinstate(ISSUER, 0, _words(0), _masks(1), 1);
        _expectOver(key, epoch, current);
        vm.prank(key);
        registry.revokeBatch(ISSUER, ROOT, 1);
    }

    function _compromisedHash(address key, uint40 since) private view returns (bytes32) {
        bytes32 topic = keccak256("KeyCompromised(uint32,address,uint40,address,uint40,bytes32)");
        return keccak256(abi.encode(topic, ISSUER, key, since, controller, _now()));
    }

    function _expectCompromisedAndChanged(address key, uint40 since, uint16 epoch, uint16 next)
        private
        returns (bytes32 head)
    {
        head = _headAfter(ISSUER, _compromisedHash(key, since));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.KeyCompromised(ISSUER, key, since, controller, _now(), head);
        bytes32 topic = keccak256("StatusEpochChanged(uint32,uint16,uint16,address,uint40,bytes32)");
        bytes32 eventHash = keccak256(abi.encode(topic, ISSUER, epoch, next, controller, _now()));
        head = keccak256(abi.encode(head, eventHash));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.StatusEpochChanged(ISSUER, epoch, next, controller, _now(), head);
    }

    function _assertEpochs(uint32 issuer, uint16 current, uint16 next) private view {
        vm.assertEq(registry.issuerOf(issuer).statusEpoch, current);
        vm.assertEq(registry.nextStatusEpochOf(issuer), next);
    }

    /// @dev The first eight credentials of list 0, as masks.
    function _assertBits(uint256 revokedMask, uint256 suspendedMask) private view {
        for (uint256 i = 0; i < 8; ++i) {
            (bool revoked, bool suspended) = registry.statusOf(ISSUER, 0, i);
            vm.assertEq(revoked, (revokedMask >> i) & 1 == 1, "revoked");
            vm.assertEq(suspended, (suspendedMask >> i) & 1 == 1, "suspended");
        }
    }
}
