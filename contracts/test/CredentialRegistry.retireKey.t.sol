// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract RetireKeyTest is RegistryTest {
    function test_retireKey_storesEndAtTheNextSecond() public {
        vm.warp(START + 50);
        _retireKey(controller, anchorKey);
        ICredentialRegistry.Key memory record = registry.keyOf(anchorKey);
        vm.assertEq(record.issuer, ISSUER);
        vm.assertEq(record.validFrom, START);
        vm.assertEq(record.validUntil, START + 51);
        vm.assertEq(record.compromisedAt, 0);
        vm.assertEq(record.scope, SCOPE_ANCHOR);
        vm.assertEq(record.statusEpoch, 0);
        _audit();
    }

    function test_fuzz_retireKey_emitsKeyRetiredWithHead(uint32 later, bool ofStatus) public {
        vm.warp(uint256(START) + later);
        uint40 now_ = _now();
        address key = ofStatus ? statusKey : anchorKey;
        bytes32 registryHead = registry.registryHead();
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("KeyRetired(uint32,address,uint40,address,uint40,bytes32)"),
                ISSUER,
                key,
                now_ + 1,
                controller,
                now_
            )
        );
        bytes32 head = _headAfter(ISSUER, eventHash);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.KeyRetired(ISSUER, key, now_ + 1, controller, now_, head);
        _retireKey(controller, key);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        vm.assertEq(registry.keyOf(key).validUntil, now_ + 1);
        _audit();
    }

    /// What the key does in the block of its retirement, before or after, stays good.
    function test_retireKey_endsAnchoringFromTheNextSecondOn() public {
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _retireKey(controller, anchorKey);
        _anchor(anchorKey, ISSUER, keccak256("second"), 10);
        for (uint40 at = START + 1; at <= START + 2; ++at) {
            vm.warp(at);
            _expectCutOff(anchorKey, START + 1);
            _anchor(anchorKey, ISSUER, keccak256("third"), 10);
        }
        _audit();
    }

    /// A batch of a retired key is not void: nobody anchors it anew.
    function test_retireKey_leavesBatchesGood() public {
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _retireKey(controller, anchorKey);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, ROOT, START));
        _anchor(newKey, ISSUER, ROOT, 11);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).size, 10);
        _audit();
    }

    /// Unlike a compromised one, a retired STATUS key keeps its epoch: what it revoked stays revoked.
    function test_retireKey_leavesStatusBitsAndEpochs() public {
        _revokeFirst(statusKey, 1);
        _retireKey(controller, statusKey);
        _revokeFirst(statusKey, 2);
        vm.assertTrue(registry.isRevoked(ISSUER, 0, 0));
        vm.assertTrue(registry.isRevoked(ISSUER, 0, 1));
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 0);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 1);
        vm.warp(START + 1);
        _expectCutOff(statusKey, START + 1);
        _revokeFirst(statusKey, 4);
        _audit();
    }

    function test_retireKey_beforeItsStartMakesItNeverValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        consent.validFrom = START + 100;
        _addKey(controller, consent, NEW_PK);
        _retireKey(controller, newKey);
        vm.assertEq(registry.keyOf(newKey).validUntil, START + 1);
        vm.warp(START + 99);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, newKey, START + 100));
        _anchor(newKey, ISSUER, ROOT, 10);
        vm.warp(START + 100);
        _expectCutOff(newKey, START + 1);
        _anchor(newKey, ISSUER, ROOT, 10);
        _audit();
    }

    function test_retireKey_ofStagedKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        _retireKey(controller, newKey);
        vm.assertEq(registry.keyOf(newKey).validUntil, START + 1);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 1);
        _audit();
    }

    function test_retireKey_leavesOtherKeysAlone() public {
        bytes32 before = keccak256(abi.encode(registry.keyOf(statusKey), registry.keyOf(otherAnchorKey)));
        bytes32 head = _headOf(OTHER_ISSUER);
        _retireKey(controller, anchorKey);
        vm.assertEq(keccak256(abi.encode(registry.keyOf(statusKey), registry.keyOf(otherAnchorKey))), before);
        vm.assertEq(_headOf(OTHER_ISSUER), head);
    }

    function test_retireKey_revertsWithUnknownKey() public {
        address[4] memory unknown = [address(0), stranger, controller, newKey];
        for (uint256 i = 0; i < unknown.length; ++i) {
            _expectUnknown(unknown[i]);
            _retireKey(controller, unknown[i]);
        }
    }

    function test_fuzz_retireKey_revertsWithUnknownKey(address who, address key) public {
        vm.assume(registry.keyOf(key).issuer == 0);
        _expectUnknown(key);
        _retireKey(who, key);
    }

    /// A key does not retire itself, for then a thief could retire it.
    function test_retireKey_revertsWithNotController() public {
        address[7] memory others = [admin, accreditor, otherController, anchorKey, statusKey, otherAnchorKey, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectNotController(others[i]);
            _retireKey(others[i], anchorKey);
        }
    }

    function test_fuzz_retireKey_revertsWithNotController(address other) public {
        vm.assume(other != controller);
        _expectNotController(other);
        _retireKey(other, statusKey);
    }

    function test_retireKey_revertsWithKeyCutOffIfRetired() public {
        _retireKey(controller, anchorKey);
        uint40[3] memory times = [START, START + 1, type(uint40).max];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            _expectCutOff(anchorKey, START + 1);
            _retireKey(controller, anchorKey);
        }
    }

    function test_retireKey_revertsWithKeyCutOffIfCompromised() public {
        vm.warp(START + 20);
        _compromiseKey(controller, anchorKey, START + 10);
        _expectCutOff(anchorKey, START + 10);
        _retireKey(controller, anchorKey);
    }

    function test_retireKey_revertsWithKeyCutOffIfBoth() public {
        vm.warp(START + 20);
        _retireKey(controller, anchorKey);
        _compromiseKey(controller, anchorKey, START + 10);
        _expectCutOff(anchorKey, START + 10);
        _retireKey(controller, anchorKey);
    }

    function _revokeFirst(address who, uint256 mask) private {
        vm.prank(who);
        registry.revoke(ISSUER, 0, _words(0), _masks(mask), 1);
    }

    function _expectCutOff(address key, uint40 cutOff) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, key, cutOff));
    }

    function _expectUnknown(address key) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownKey.selector, key));
    }

    function _expectNotController(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, who));
    }
}
