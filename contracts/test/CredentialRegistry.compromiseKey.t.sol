// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev What it does to status epochs is in CredentialRegistry.statusEpochs.t.sol.
contract CompromiseKeyTest is RegistryTest {
    function test_compromiseKey_storesSince() public {
        vm.warp(START + 50);
        _compromiseKey(controller, anchorKey, START + 20);
        ICredentialRegistry.Key memory record = registry.keyOf(anchorKey);
        vm.assertEq(record.issuer, ISSUER);
        vm.assertEq(record.validFrom, START);
        vm.assertEq(record.validUntil, 0);
        vm.assertEq(record.compromisedAt, START + 20);
        vm.assertEq(record.scope, SCOPE_ANCHOR);
        vm.assertEq(record.statusEpoch, 0);
        _audit();
    }

    /// Nothing else happens for an ANCHOR key, though it says epoch 0 and that is the current one.
    function test_compromiseKey_emitsKeyCompromisedWithHead() public {
        vm.warp(START + 50);
        bytes32 registryHead = registry.registryHead();
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("KeyCompromised(uint32,address,uint40,address,uint40,bytes32)"),
                ISSUER,
                anchorKey,
                START + 20,
                controller,
                START + 50
            )
        );
        bytes32 head = _headAfter(ISSUER, eventHash);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.KeyCompromised(ISSUER, anchorKey, START + 20, controller, START + 50, head);
        _compromiseKey(controller, anchorKey, START + 20);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 0);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 1);
        _audit();
    }

    function test_compromiseKey_takesStartAndNow() public {
        vm.warp(START + 50);
        _compromiseKey(controller, anchorKey, START + 50);
        vm.assertEq(registry.keyOf(anchorKey).compromisedAt, START + 50);
        _compromiseKey(controller, anchorKey, START);
        vm.assertEq(registry.keyOf(anchorKey).compromisedAt, START);
        _audit();
    }

    function test_compromiseKey_movesEarlierByASecond() public {
        vm.warp(START + 50);
        _compromiseKey(controller, anchorKey, START + 20);
        _compromiseKey(controller, anchorKey, START + 19);
        vm.assertEq(registry.keyOf(anchorKey).compromisedAt, START + 19);
        _audit();
    }

    /// The end stays on record; the earlier of both counts.
    function test_compromiseKey_ofRetiredKey() public {
        vm.warp(START + 20);
        _retireKey(controller, anchorKey);
        vm.warp(START + 50);
        _compromiseKey(controller, anchorKey, START + 20);
        vm.assertEq(registry.keyOf(anchorKey).validUntil, START + 21);
        vm.assertEq(registry.keyOf(anchorKey).compromisedAt, START + 20);
        _expectCutOff(anchorKey, START + 20);
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _audit();
    }

    function test_compromiseKey_inTheSecondOfItsRetirement() public {
        _retireKey(controller, anchorKey);
        _compromiseKey(controller, anchorKey, START);
        vm.assertEq(registry.keyOf(anchorKey).compromisedAt, START);
        _audit();
    }

    function test_compromiseKey_endsTheKeyAtOnce() public {
        _compromiseKey(controller, anchorKey, START);
        _expectCutOff(anchorKey, START);
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _compromiseKey(controller, statusKey, START);
        _expectCutOff(statusKey, START);
        vm.prank(statusKey);
        registry.revoke(ISSUER, 0, _words(0), _masks(1), 1);
        _audit();
    }

    /// Half-open: what was anchored in the second before is good, and in that of the cut-off void.
    function test_compromiseKey_voidsBatchesFromSinceOn() public {
        bytes32[3] memory roots = [keccak256("before"), keccak256("at"), keccak256("after")];
        for (uint40 i = 0; i < 3; ++i) {
            vm.warp(START + 19 + i);
            _anchor(anchorKey, ISSUER, roots[i], 10);
        }
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        _compromiseKey(controller, anchorKey, START + 20);
        vm.warp(START + 60);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, roots[0], START + 19));
        _anchor(newKey, ISSUER, roots[0], 11);
        _anchor(newKey, ISSUER, roots[1], 11);
        _anchor(newKey, ISSUER, roots[2], 11);
        _audit();
        // An earlier cut-off takes in the first one too.
        _compromiseKey(controller, anchorKey, START + 19);
        _anchor(newKey, ISSUER, roots[0], 11);
        _audit();
    }

    function test_compromiseKey_leavesOtherKeysAlone() public {
        bytes32 before = keccak256(abi.encode(registry.keyOf(statusKey), registry.keyOf(otherAnchorKey)));
        bytes32 head = _headOf(OTHER_ISSUER);
        _compromiseKey(controller, anchorKey, START);
        vm.assertEq(keccak256(abi.encode(registry.keyOf(statusKey), registry.keyOf(otherAnchorKey))), before);
        vm.assertEq(_headOf(OTHER_ISSUER), head);
        _anchor(otherAnchorKey, OTHER_ISSUER, ROOT, 10);
        _audit();
    }

    function test_compromiseKey_revertsWithUnknownKey() public {
        address[4] memory unknown = [address(0), stranger, controller, newKey];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownKey.selector, unknown[i]));
            _compromiseKey(controller, unknown[i], START);
        }
    }

    function test_fuzz_compromiseKey_revertsWithUnknownKey(address who, address key, uint40 since) public {
        vm.assume(registry.keyOf(key).issuer == 0);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownKey.selector, key));
        _compromiseKey(who, key, since);
    }

    /// A thief of the key cannot void what its owner anchored.
    function test_compromiseKey_revertsWithNotController() public {
        address[7] memory others = [admin, accreditor, otherController, anchorKey, statusKey, otherAnchorKey, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, others[i]));
            _compromiseKey(others[i], anchorKey, START);
        }
    }

    function test_fuzz_compromiseKey_revertsWithNotController(address other, uint40 since) public {
        vm.assume(other != otherController);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, OTHER_ISSUER, other));
        _compromiseKey(other, otherStatusKey, since);
    }

    function test_compromiseKey_revertsWithCompromisedBeforeValid() public {
        vm.warp(START + 50);
        uint40[3] memory early = [0, 1, START - 1];
        for (uint256 i = 0; i < early.length; ++i) {
            _expectBeforeValid(anchorKey, early[i], START);
            _compromiseKey(controller, anchorKey, early[i]);
        }
    }

    function test_compromiseKey_revertsWithCompromisedInFuture() public {
        uint40[3] memory late = [START + 1, START + 2, type(uint40).max];
        for (uint256 i = 0; i < late.length; ++i) {
            _expectInFuture(anchorKey, late[i]);
            _compromiseKey(controller, anchorKey, late[i]);
        }
    }

    /// A key that was never valid did nothing that could be void: retire it.
    function test_compromiseKey_revertsForKeyNotYetValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 1);
        consent.validFrom = START + 100;
        _addKey(controller, consent, NEW_PK);
        vm.warp(START + 99);
        _expectBeforeValid(newKey, START + 99, START + 100);
        _compromiseKey(controller, newKey, START + 99);
        _expectInFuture(newKey, START + 100);
        _compromiseKey(controller, newKey, START + 100);
        vm.warp(START + 100);
        _compromiseKey(controller, newKey, START + 100);
        _audit();
    }

    function test_compromiseKey_revertsWithCutOffNotEarlierThanBefore() public {
        vm.warp(START + 50);
        _compromiseKey(controller, anchorKey, START + 20);
        uint40[3] memory late = [START + 20, START + 21, START + 50];
        for (uint256 i = 0; i < late.length; ++i) {
            _expectNotEarlier(anchorKey, late[i], START + 20);
            _compromiseKey(controller, anchorKey, late[i]);
        }
    }

    function test_compromiseKey_revertsWithCutOffNotEarlierThanItsEnd() public {
        vm.warp(START + 20);
        _retireKey(controller, anchorKey);
        vm.warp(START + 50);
        uint40[3] memory late = [START + 21, START + 22, START + 50];
        for (uint256 i = 0; i < late.length; ++i) {
            _expectNotEarlier(anchorKey, late[i], START + 21);
            _compromiseKey(controller, anchorKey, late[i]);
        }
    }

    function test_compromiseKey_revertsWithCutOffNotEarlierThanTheEarlierOfBoth() public {
        vm.warp(START + 20);
        _retireKey(controller, anchorKey);
        _compromiseKey(controller, anchorKey, START + 10);
        _expectNotEarlier(anchorKey, START + 15, START + 10);
        _compromiseKey(controller, anchorKey, START + 15);
    }

    /// The rules once more, in one place, against random times.
    function test_fuzz_compromiseKey_onlyMovesEarlier(uint8 start, uint8[5] calldata steps, uint8[5] calldata times)
        public
    {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        consent.validFrom = START + start % 64;
        _addKey(controller, consent, NEW_PK);
        uint40 cutOff = 0;
        for (uint256 i = 0; i < steps.length; ++i) {
            vm.warp(uint256(_now()) + steps[i] % 32);
            uint40 since = START + times[i] % 128;
            if (since < consent.validFrom) _expectBeforeValid(newKey, since, consent.validFrom);
            else if (since > _now()) _expectInFuture(newKey, since);
            else if (cutOff != 0 && since >= cutOff) _expectNotEarlier(newKey, since, cutOff);
            else cutOff = since;
            _compromiseKey(controller, newKey, since);
            vm.assertEq(registry.keyOf(newKey).compromisedAt, cutOff);
        }
        _audit();
    }

    function _expectCutOff(address key, uint40 cutOff) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, key, cutOff));
    }

    function _expectNotEarlier(address key, uint40 since, uint40 cutOff) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.CutOffNotEarlier.selector, key, since, cutOff));
    }

    function _expectBeforeValid(address key, uint40 since, uint40 validFrom) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.CompromisedBeforeValid.selector, key, since, validFrom));
    }

    function _expectInFuture(address key, uint40 since) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.CompromisedInFuture.selector, key, since, _now()));
    }
}
