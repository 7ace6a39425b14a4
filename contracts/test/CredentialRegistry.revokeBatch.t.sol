// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, MAX_REASON, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";

contract RevokeBatchTest is RegistryTest {
    uint8 private constant _REASON = 3;

    function setUp() public override {
        super.setUp();
        _anchor(anchorKey, ISSUER, ROOT, 1000);
    }

    function test_revokeBatch_storesReasonAndEpochAlone() public {
        vm.warp(START + 7);
        _revokeBatch(statusKey, _REASON);
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, ROOT);
        vm.assertEq(record.key, anchorKey);
        vm.assertEq(record.anchoredAt, START);
        vm.assertEq(record.size, 1000);
        vm.assertEq(record.revokedReason, _REASON);
        vm.assertEq(record.revokedEpoch, 0);
        _audit();
    }

    function test_revokeBatch_emitsBatchRevokedWithHead() public {
        vm.warp(START + 7);
        bytes32 registryHead = registry.registryHead();
        bytes32 head = _expectRevoked(0, statusKey, START + 7);
        _revokeBatch(statusKey, _REASON);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        _audit();
    }

    function test_revokeBatch_takesEveryReason() public {
        for (uint8 reason = 1; reason <= MAX_REASON; ++reason) {
            bytes32 root = bytes32(uint256(reason));
            _anchor(anchorKey, ISSUER, root, 1);
            vm.prank(statusKey);
            registry.revokeBatch(ISSUER, root, reason);
            vm.assertEq(registry.batchOf(ISSUER, root).revokedReason, reason);
        }
        _audit();
    }

    function test_revokeBatch_concernsOneBatchOfOneIssuer() public {
        bytes32 other = keccak256("other root");
        _anchor(anchorKey, ISSUER, other, 5);
        _anchor(otherAnchorKey, OTHER_ISSUER, ROOT, 5);
        _revokeBatch(statusKey, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, other).revokedReason, 0);
        vm.assertEq(registry.batchOf(OTHER_ISSUER, ROOT).revokedReason, 0);
        _audit();
    }

    function test_revokeBatch_usesNoNonceAndNoBits() public {
        _revokeBatch(statusKey, _REASON);
        vm.assertEq(registry.nonceOf(statusKey), 0);
        (bool revoked, bool suspended) = registry.statusOf(ISSUER, 0, 0);
        vm.assertFalse(revoked || suspended);
    }

    function test_revokeBatch_ofSizeNotStated() public {
        bytes32 bare = keccak256("bare root");
        vm.prank(anchorKey);
        (bool ok,) = address(registry).call(abi.encodePacked(bare));
        vm.assertTrue(ok);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, bare, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, bare).revokedReason, _REASON);
        _audit();
    }

    /// Void or not: so that nobody anchors it again.
    function test_revokeBatch_ofVoidBatch() public {
        _compromiseKey(controller, anchorKey, START);
        _revokeBatch(statusKey, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, _REASON);
        _audit();
    }

    function test_revokeBatch_goesOnAfterWithdrawal() public {
        _withdraw(ISSUER, START + 1);
        vm.warp(START + 2);
        _revokeBatch(statusKey, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, _REASON);
        _audit();
    }

    /* EPOCHS */

    function test_revokeBatch_writesTheEpochOfItsKey() public {
        _stage();
        bytes32 head = _expectRevoked(1, newKey, START);
        _revokeBatch(newKey, _REASON);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedEpoch, 1);
        _audit();
    }

    /// What the key of the next epoch revoked counts already; a later revocation must not shorten that.
    function test_revokeBatch_revertsWithBatchAlreadyRevokedForLaterEpoch() public {
        _stage();
        _revokeBatch(newKey, _REASON);
        _expectAlreadyRevoked(1);
        _revokeBatch(statusKey, 1);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedEpoch, 1);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, _REASON);
    }

    /// Staging repeats the honest revocations of the current epoch.
    function test_revokeBatch_againForTheNextEpoch() public {
        _revokeBatch(statusKey, 1);
        _stage();
        _revokeBatch(newKey, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedEpoch, 1);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, _REASON);
        _audit();
    }

    /// The thief's revocation ends with his epoch; it can be revoked anew, for good reason.
    function test_revokeBatch_againAfterEpochChange() public {
        _revokeBatch(statusKey, 1);
        _stage();
        _compromiseKey(controller, statusKey, START);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 1);
        _revokeBatch(newKey, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedEpoch, 1);
        _audit();
    }

    function test_revokeBatch_revertsWithBatchAlreadyRevoked() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        _revokeBatch(statusKey, _REASON);
        address[2] memory keys = [statusKey, newKey];
        for (uint256 i = 0; i < keys.length; ++i) {
            _expectAlreadyRevoked(0);
            _revokeBatch(keys[i], 1);
        }
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, _REASON);
    }

    /// Revoked is revoked again only from a later epoch, whatever the epochs.
    function test_fuzz_revokeBatch_onlyFromLaterEpochs(uint8 reason, uint16 epoch, uint16 current) public {
        reason %= MAX_REASON + 1;
        current %= 65_535;
        uint256 record = uint256(uint160(anchorKey)) | (uint256(START) << 160) | (uint256(1000) << 200)
            | (uint256(reason) << 232) | (uint256(epoch) << 240);
        vm.store(address(registry), bytes32(Slots.batch(ISSUER, ROOT)), bytes32(record));
        Slots.setStatusEpoch(address(registry), ISSUER, current);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, current), NEW_PK);
        bool already = reason != 0 && epoch >= current;
        if (already) _expectAlreadyRevoked(epoch);
        _revokeBatch(newKey, _REASON);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedEpoch, already ? epoch : current);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, already ? reason : _REASON);
    }

    function test_revokeBatch_revertsWithStatusEpochOver() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        _compromiseKey(controller, statusKey, START);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.StatusEpochOver.selector, newKey, 0, 1));
        _revokeBatch(newKey, _REASON);
    }

    /* WHO AND WHAT */

    function test_revokeBatch_revertsWithNotAnchored() public {
        bytes32[2] memory roots = [keccak256("never"), bytes32(0)];
        for (uint256 i = 0; i < roots.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, ISSUER, roots[i]));
            vm.prank(statusKey);
            registry.revokeBatch(ISSUER, roots[i], _REASON);
        }
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, OTHER_ISSUER, ROOT));
        vm.prank(otherStatusKey);
        registry.revokeBatch(OTHER_ISSUER, ROOT, _REASON);
    }

    function test_revokeBatch_revertsWithKeyNotOfIssuer() public {
        address[5] memory others = [stranger, controller, admin, accreditor, otherStatusKey];
        for (uint256 i = 0; i < others.length; ++i) {
            uint32 boundTo = others[i] == otherStatusKey ? OTHER_ISSUER : 0;
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, others[i], ISSUER, boundTo));
            _revokeBatch(others[i], _REASON);
        }
    }

    function test_revokeBatch_revertsWithWrongScope() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, anchorKey, SCOPE_ANCHOR, SCOPE_STATUS)
        );
        _revokeBatch(anchorKey, _REASON);
    }

    function test_revokeBatch_revertsWithKeyNotYetValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 0);
        consent.validFrom = START + 1;
        _addKey(controller, consent, NEW_PK);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, newKey, START + 1));
        _revokeBatch(newKey, _REASON);
        vm.warp(START + 1);
        _revokeBatch(newKey, _REASON);
        _audit();
    }

    function test_revokeBatch_revertsWithKeyCutOff() public {
        _retireKey(controller, statusKey);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, statusKey, START + 1));
        _revokeBatch(statusKey, _REASON);
    }

    function test_fuzz_revokeBatch_revertsWithInvalidReason(uint8 reason) public {
        vm.assume(reason == 0 || reason > MAX_REASON);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, reason));
        _revokeBatch(statusKey, reason);
    }

    function _revokeBatch(address who, uint8 reason) private {
        vm.prank(who);
        registry.revokeBatch(ISSUER, ROOT, reason);
    }

    /// @dev `newKey` becomes a STATUS key of epoch 1.
    function _stage() private {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
    }

    function _expectAlreadyRevoked(uint16 epoch) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.BatchAlreadyRevoked.selector, ISSUER, ROOT, epoch));
    }

    function _expectRevoked(uint16 epoch, address actor, uint40 at) private returns (bytes32 head) {
        bytes32 topic = keccak256("BatchRevoked(uint32,bytes32,uint16,uint8,address,uint40,bytes32)");
        head = _headAfter(ISSUER, keccak256(abi.encode(topic, ISSUER, ROOT, epoch, _REASON, actor, at)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.BatchRevoked(ISSUER, ROOT, epoch, _REASON, actor, at, head);
    }
}
