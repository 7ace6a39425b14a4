// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @title Anchoring again what a thief could have anchored
contract ReanchorTest is RegistryTest {
    uint256 private constant _STAGED_PK = 0x5e;
    uint40 private constant _ANCHORED_AT = START + 10;

    address private immutable _stagedKey = vm.addr(_STAGED_PK);

    /// `anchorKey` anchored the root at START + 10, now it is START + 20; `newKey` is the next ANCHOR key.
    function setUp() public override {
        super.setUp();
        vm.warp(_ANCHORED_AT);
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.warp(START + 20);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
    }

    /* WHEN IT IS VOID */

    function test_anchor_againWritesTheRecordAnew() public {
        _compromiseKey(controller, anchorKey, START);
        vm.warp(START + 30);
        _anchor(newKey, ISSUER, ROOT, 7);
        _expectRecord(newKey, START + 30, 7);
        _audit();
    }

    function test_anchor_againEmitsBatchAnchored() public {
        _compromiseKey(controller, anchorKey, START);
        bytes32 topic = keccak256("BatchAnchored(uint32,bytes32,uint32,address,uint40,bytes32)");
        bytes32 head = _headAfter(ISSUER, keccak256(abi.encode(topic, ISSUER, ROOT, uint32(7), newKey, START + 20)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.BatchAnchored(ISSUER, ROOT, 7, newKey, START + 20, head);
        _anchor(newKey, ISSUER, ROOT, 7);
        vm.assertEq(_headOf(ISSUER), head);
    }

    /// The second of the theft is the thief's.
    function test_anchor_againIfCompromisedInTheSameSecond() public {
        _compromiseKey(controller, anchorKey, _ANCHORED_AT);
        _anchor(newKey, ISSUER, ROOT, 1000);
        _expectRecord(newKey, START + 20, 1000);
        _audit();
    }

    function test_anchor_revertsWithAlreadyAnchoredIfCompromisedLater() public {
        _compromiseKey(controller, anchorKey, _ANCHORED_AT + 1);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
        // The cut-off moves to an earlier time, and takes the batch with it.
        _compromiseKey(controller, anchorKey, _ANCHORED_AT);
        _anchor(newKey, ISSUER, ROOT, 1000);
        _audit();
    }

    /// An end to a key's validity leaves what it did.
    function test_anchor_revertsWithAlreadyAnchoredIfRetired() public {
        _retireKey(controller, anchorKey);
        vm.warp(START + 30);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
    }

    function test_anchor_revertsWithAlreadyAnchoredIfRetiredInTheSecondOfAnchoring() public {
        bytes32 last = keccak256("last");
        _anchor(anchorKey, ISSUER, last, 1000);
        _retireKey(controller, anchorKey);
        vm.warp(START + 30);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, last, START + 20));
        _anchor(newKey, ISSUER, last, 1000);
    }

    function test_fuzz_anchor_againExactlyIfVoid(uint8 since) public {
        uint40 cutOff = START + since % 21;
        _compromiseKey(controller, anchorKey, cutOff);
        if (cutOff > _ANCHORED_AT) _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 7);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).size, cutOff > _ANCHORED_AT ? 1000 : 7);
        _audit();
    }

    /// Another's misfortune makes no batch void.
    function test_anchor_revertsWithAlreadyAnchoredIfAnotherKeyIsCompromised() public {
        _compromiseKey(otherController, otherAnchorKey, START);
        _compromiseKey(controller, newKey, START + 20);
        _compromiseKey(controller, statusKey, START);
        _expectAlreadyAnchored();
        _anchor(anchorKey, ISSUER, ROOT, 1000);
    }

    function test_anchor_revertsWithKeyCutOffForTheCompromisedKey() public {
        _compromiseKey(controller, anchorKey, START);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, START));
        _anchor(anchorKey, ISSUER, ROOT, 1000);
    }

    /// Once again is not once and for all: the next key may be stolen too.
    function test_anchor_againAndAgain() public {
        _compromiseKey(controller, anchorKey, START);
        _anchor(newKey, ISSUER, ROOT, 7);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, ROOT, START + 20));
        _anchor(newKey, ISSUER, ROOT, 8);
        _compromiseKey(controller, newKey, START + 20);
        _addKey(controller, _consent(ISSUER, stranger, SCOPE_ANCHOR, 0), 0xbad);
        vm.warp(START + 40);
        _anchor(stranger, ISSUER, ROOT, 9);
        _expectRecord(stranger, START + 40, 9);
        _audit();
    }

    function test_anchor_revertsWithIssuerWithdrawnThoughVoid() public {
        _compromiseKey(controller, anchorKey, START);
        _withdraw(ISSUER, START + 21);
        vm.warp(START + 21);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 21));
        _anchor(newKey, ISSUER, ROOT, 1000);
    }

    /* BY ITS BARE ROOT */

    function test_fallback_anchorsVoidBatchAgain() public {
        _compromiseKey(controller, anchorKey, START);
        vm.prank(newKey);
        (bool ok,) = address(registry).call(abi.encodePacked(ROOT));
        vm.assertTrue(ok);
        _expectRecord(newKey, START + 20, 0);
        _audit();
    }

    function test_anchor_againStatesTheSize() public {
        bytes32 bare = keccak256("bare root");
        vm.prank(anchorKey);
        (bool ok,) = address(registry).call(abi.encodePacked(bare));
        vm.assertTrue(ok);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, bare, START + 20));
        _anchor(newKey, ISSUER, bare, 5);
        _compromiseKey(controller, anchorKey, START + 20);
        _anchor(newKey, ISSUER, bare, 5);
        vm.assertEq(registry.batchOf(ISSUER, bare).size, 5);
        _audit();
    }

    /* WHEN IT IS REVOKED */

    function test_anchor_revertsWithAlreadyAnchoredIfVoidAndRevoked() public {
        _revokeBatch(statusKey);
        _compromiseKey(controller, anchorKey, START);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, 1);
        _audit();
    }

    function test_anchor_revertsWithAlreadyAnchoredIfRevokedAfterItWasVoid() public {
        _compromiseKey(controller, anchorKey, START);
        _revokeBatch(statusKey);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
    }

    function test_anchor_revertsWithAlreadyAnchoredIfRevokedByStagedKey() public {
        _stage();
        _revokeBatch(_stagedKey);
        _compromiseKey(controller, anchorKey, START);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
        // Also when that epoch has come.
        _compromiseKey(controller, statusKey, START);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
        _audit();
    }

    /// A thief's revocation ends with his epoch, and leaves no trace in the new record.
    function test_anchor_againAfterEpochChange() public {
        _revokeBatch(statusKey);
        _stage();
        _compromiseKey(controller, anchorKey, START);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
        _compromiseKey(controller, statusKey, START);
        _anchor(newKey, ISSUER, ROOT, 1001);
        _expectRecord(newKey, START + 20, 1001);
        _audit();
    }

    /// That its revocation ended does not make a good anchoring void.
    function test_anchor_revertsWithAlreadyAnchoredAfterEpochChangeUnlessVoid() public {
        _revokeBatch(statusKey);
        _compromiseKey(controller, statusKey, START);
        _expectAlreadyAnchored();
        _anchor(newKey, ISSUER, ROOT, 1000);
    }

    function test_revokeBatch_afterReanchoring() public {
        _compromiseKey(controller, anchorKey, START);
        _anchor(newKey, ISSUER, ROOT, 7);
        _revokeBatch(statusKey);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, 1);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).key, newKey);
        _audit();
    }

    function _revokeBatch(address who) private {
        vm.prank(who);
        registry.revokeBatch(ISSUER, ROOT, 1);
    }

    /// @dev A STATUS key of epoch 1.
    function _stage() private {
        _addKey(controller, _consent(ISSUER, _stagedKey, SCOPE_STATUS, 1), _STAGED_PK);
    }

    function _expectAlreadyAnchored() private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, ROOT, _ANCHORED_AT));
    }

    function _expectRecord(address key, uint40 anchoredAt, uint32 size) private view {
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, ROOT);
        vm.assertEq(record.key, key);
        vm.assertEq(record.anchoredAt, anchoredAt);
        vm.assertEq(record.size, size);
        vm.assertEq(record.revokedReason, 0);
        vm.assertEq(record.revokedEpoch, 0);
    }
}
