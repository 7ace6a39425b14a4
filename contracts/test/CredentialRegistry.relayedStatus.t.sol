// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {vm} from "./Vm.sol";
import {Relay, RelayedCall, RelayedCalls} from "./support/RelayedCall.sol";
import {RelayTest} from "./support/RelayTest.sol";

/// @title Relayed status calls: their nonces, and that they are what the direct calls are
contract RelayedStatusTest is RelayTest {
    using RelayedCalls for RelayedCall;

    Relay[4] private _status = [Relay.REVOKE, Relay.SUSPEND, Relay.REINSTATE, Relay.REVOKE_BATCH];

    /* NONCES */

    function test_relayedStatus_usesOneNonceEach() public {
        for (uint256 i = 0; i < _status.length; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            uint256 before = registry.nonceOf(statusKey);
            _send(call, _sign(call));
            vm.assertEq(registry.nonceOf(statusKey), before + 1);
        }
        vm.assertEq(registry.nonceOf(anchorKey), 0);
        vm.assertEq(registry.nonceOf(otherStatusKey), 0);
        vm.assertEq(registry.nonceOf(stranger), 0);
        _audit();
    }

    function test_relayedStatus_revertsWithInvalidNonceOfUsedOne() public {
        for (uint256 i = 0; i < _status.length; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            bytes memory signature = _sign(call);
            _send(call, signature);
            _expectInvalidNonce(call, call.nonce + 1);
            _send(call, signature);
        }
    }

    function test_fuzz_relayedStatus_revertsWithInvalidNonce(uint8 which, uint256 nonce) public {
        RelayedCall memory call = _valid(_status[which % _status.length]);
        uint256 next = call.nonce;
        vm.assume(nonce != next);
        call.nonce = nonce;
        bytes memory signature = _sign(call);
        _expectInvalidNonce(call, next);
        _send(call, signature);
    }

    /// Signed ahead, they are done in the order in which they were signed, or not at all.
    function test_relayedStatus_keepsTheOrder() public {
        RelayedCall[3] memory calls;
        bytes[3] memory signatures;
        for (uint16 i = 0; i < 3; ++i) {
            calls[i] = _valid(i == 1 ? Relay.REINSTATE : Relay.SUSPEND);
            (calls[i].words, calls[i].masks) = (_words(100), _masks(1));
            calls[i].nonce += i;
            signatures[i] = _sign(calls[i]);
        }
        uint256 next = calls[0].nonce;
        _expectInvalidNonce(calls[1], next);
        _send(calls[1], signatures[1]);
        _send(calls[0], signatures[0]);
        _expectInvalidNonce(calls[2], next + 1);
        _send(calls[2], signatures[2]);
        _send(calls[1], signatures[1]);
        _send(calls[2], signatures[2]);
        vm.assertTrue(registry.isSuspended(ISSUER, LIST, 100 * 256));
        _audit();
    }

    /// A reinstatement held back must not lift a later suspension of the same key.
    function test_relayedStatus_revertsWithInvalidNonceAfterDirectSuspension() public {
        RelayedCall memory held = _valid(Relay.REINSTATE);
        bytes memory signature = _sign(held);
        vm.prank(statusKey);
        registry.suspend(ISSUER, LIST, _words(200), _masks(1), REASON);
        _expectInvalidNonce(held, held.nonce + 1);
        _send(held, signature);
        _audit();
    }

    function test_relayedStatus_revertsWithInvalidNonceAfterDirectReinstatement() public {
        RelayedCall memory held = _valid(Relay.SUSPEND);
        bytes memory signature = _sign(held);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, LIST, _words(SUSPENDED_WORD), _masks(1), REASON);
        _expectInvalidNonce(held, held.nonce + 1);
        _send(held, signature);
        _audit();
    }

    /// Revocations only add up, so a late one undoes nothing.
    function test_relayedStatus_goesOnAfterDirectRevocations() public {
        RelayedCall memory held = _valid(Relay.REVOKE);
        bytes memory signature = _sign(held);
        vm.prank(statusKey);
        registry.revoke(ISSUER, LIST, _words(1), _masks(1), REASON);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, ANCHORED_ROOT, REASON);
        vm.assertEq(registry.nonceOf(statusKey), held.nonce);
        _send(held, signature);
        _audit();
    }

    function test_relayedStatus_goesOnAfterCallsOfAnotherKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        RelayedCall memory held = _valid(Relay.REINSTATE);
        bytes memory signature = _sign(held);
        vm.prank(newKey);
        registry.suspend(ISSUER, LIST, _words(200), _masks(1), REASON);
        vm.assertEq(registry.nonceOf(newKey), 1);
        _send(held, signature);
        _audit();
    }

    /// A call that fails uses nothing up, so the signature is as good as before.
    function test_relayedStatus_givesNonceBackIfTheCallReverts() public {
        for (uint256 i = 0; i < _status.length; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            (call.list, call.root) = (LIST + 1, ROOT);
            if (call.relay != Relay.REINSTATE) call.reason = 0;
            bytes memory signature = _sign(call);
            vm.expectRevert(
                call.relay == Relay.REINSTATE
                    ? abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST + 1, SUSPENDED_WORD)
                    : abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, 0)
            );
            _send(call, signature);
            vm.assertEq(registry.nonceOf(statusKey), call.nonce);
        }
    }

    /// The same signature: refused while the batch is not anchored, good as soon as it is.
    function test_relayedStatus_takesSignatureOnceItsCallIsPossible() public {
        RelayedCall memory call = _valid(Relay.REVOKE_BATCH);
        call.root = ROOT;
        bytes memory signature = _sign(call);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, ISSUER, ROOT));
        _send(call, signature);
        _anchor(anchorKey, ISSUER, ROOT, 5);
        _send(call, signature);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).revokedReason, REASON);
        _audit();
    }

    function test_relayedStatus_keepsNonceIfTheSignatureIsInvalid() public {
        for (uint256 i = 0; i < _status.length; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            bytes memory signature = call.sign(0xbad, block.chainid, address(registry));
            _expectInvalidSignature(call);
            _send(call, signature);
            vm.assertEq(registry.nonceOf(statusKey), call.nonce);
        }
    }

    function test_suspend_givesNonceBackIfItReverts() public {
        uint256 before = registry.nonceOf(statusKey);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST, SUSPENDED_WORD));
        vm.prank(statusKey);
        registry.suspend(ISSUER, LIST, _words(SUSPENDED_WORD), _masks(1), REASON);
        vm.assertEq(registry.nonceOf(statusKey), before);
    }

    /// Nobody but the key moves its nonce by direct calls.
    function test_suspend_ofStrangerMovesNoNonce() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, stranger, ISSUER, 0));
        vm.prank(stranger);
        registry.suspend(ISSUER, LIST, _words(200), _masks(1), REASON);
        vm.assertEq(registry.nonceOf(stranger), 0);
        vm.assertEq(registry.nonceOf(statusKey), 1);
    }

    /* AS THE DIRECT CALLS */

    /// Only the bits that really change are logged; each call touches its own bits alone.
    function test_relayedStatus_changesOnlyItsBits() public {
        RelayedCall memory call = _valid(Relay.SUSPEND);
        (call.words, call.masks) = (_words(SUSPENDED_WORD), _masks(0x1ff));
        bytes memory signature = _sign(call);
        RelayedCall memory logged = _valid(Relay.SUSPEND);
        (logged.words, logged.masks) = (_words(SUSPENDED_WORD), _masks(0x100));
        bytes32 head = _expectEvent(logged);
        _send(call, signature);
        vm.assertEq(_headOf(ISSUER), head);
        (bool revoked, bool suspended) = registry.statusOf(ISSUER, LIST, uint256(SUSPENDED_WORD) * 256 + 8);
        vm.assertTrue(suspended && !revoked);
        _audit();
    }

    function test_relayedStatus_reachesFullList() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.words, call.masks) = (new uint16[](512), new uint256[](512));
        for (uint16 i = 0; i < 512; ++i) {
            (call.words[i], call.masks[i]) = (i, type(uint256).max);
        }
        _send(call, _sign(call));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 131_071));
        _audit();
    }

    function test_relayedStatus_goesOnAfterWithdrawal() public {
        _withdraw(ISSUER, START + 1);
        vm.warp(START + 1);
        for (uint256 i = 0; i < _status.length; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            _send(call, _sign(call));
            _expectDone(call);
        }
        _audit();
    }

    /// A staged key's signature is for the next epoch.
    function test_relayedStatus_writesTheEpochOfItsKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.key, call.nonce) = (newKey, 0);
        _send(call, call.sign(NEW_PK, block.chainid, address(registry)));
        uint256 index = uint256(call.words[1]) * 256;
        vm.assertFalse(registry.isRevoked(ISSUER, LIST, index));
        vm.warp(START + 1);
        _compromiseKey(controller, statusKey, START + 1);
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, index));
        _audit();
    }

    function test_relayedStatus_revertsWithStatusEpochOver() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        _compromiseKey(controller, statusKey, START);
        for (uint256 i = 0; i < _status.length; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            (call.key, call.nonce) = (newKey, 0);
            bytes memory signature = call.sign(NEW_PK, block.chainid, address(registry));
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.StatusEpochOver.selector, newKey, 0, 1));
            _send(call, signature);
        }
    }

    function test_fuzz_relayedStatus_revertsWithInvalidReason(uint8 which, uint8 reason) public {
        vm.assume(reason == 0 || reason > 7);
        RelayedCall memory call = _valid(_status[which % _status.length]);
        call.reason = reason;
        bytes memory signature = _sign(call);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, reason));
        _send(call, signature);
    }

    function test_relayedStatus_revertsWithWordMaskMismatch() public {
        for (uint256 i = 0; i < 3; ++i) {
            RelayedCall memory call = _valid(_status[i]);
            (call.words, call.masks) = (_words(1), _masks(1, 1));
            bytes memory signature = _sign(call);
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.WordMaskMismatch.selector, 1, 2));
            _send(call, signature);
        }
    }

    function test_revokeBatchBySig_revertsWithBatchAlreadyRevoked() public {
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, ANCHORED_ROOT, 1);
        RelayedCall memory call = _valid(Relay.REVOKE_BATCH);
        bytes memory signature = _sign(call);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.BatchAlreadyRevoked.selector, ISSUER, ANCHORED_ROOT, 0));
        _send(call, signature);
    }
}
