// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MAX_CANCELLED_NONCES, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Relay, RelayedCall, RelayedCalls} from "./support/RelayedCall.sol";
import {RelayTest} from "./support/RelayTest.sol";
import {Slots} from "./support/Slots.sol";
import {Wallet} from "./support/Wallet.sol";

contract NoncesTest is RelayTest {
    using RelayedCalls for RelayedCall;

    function test_nonceOf_startsAtZero() public view {
        vm.assertEq(registry.nonceOf(anchorKey), 0);
        vm.assertEq(registry.nonceOf(otherStatusKey), 0);
        vm.assertEq(registry.nonceOf(stranger), 0);
    }

    function test_fuzz_nonceOf_isWhatIsStored(uint256 nonce) public {
        _setNonce(statusKey, nonce);
        vm.assertEq(registry.nonceOf(statusKey), nonce);
    }

    function test_cancelNonces_byTheKey() public {
        _expectCancelled(statusKey, 4, statusKey);
        _cancel(statusKey, statusKey, 4);
        vm.assertEq(registry.nonceOf(statusKey), 4);
        vm.assertEq(Slots.read(address(registry), Slots.nonce(statusKey)), 4);
        _audit();
    }

    function test_cancelNonces_byTheController() public {
        bytes32 head = _expectCancelled(statusKey, 2, controller);
        _cancel(controller, statusKey, 2);
        vm.assertEq(registry.nonceOf(statusKey), 2);
        vm.assertEq(_headOf(ISSUER), head);
        _audit();
    }

    function test_cancelNonces_concernsOneKeyAlone() public {
        bytes32 registryHead = registry.registryHead();
        bytes32 otherHead = _headOf(OTHER_ISSUER);
        _cancel(statusKey, statusKey, 2);
        vm.assertEq(registry.nonceOf(otherStatusKey), 0);
        vm.assertEq(registry.nonceOf(anchorKey), 0);
        vm.assertEq(registry.registryHead(), registryHead);
        vm.assertEq(_headOf(OTHER_ISSUER), otherHead);
        _audit();
    }

    function test_cancelNonces_makesSignaturesVoid() public {
        RelayedCall memory held = _valid(Relay.SUSPEND);
        bytes memory signature = _sign(held);
        RelayedCall memory ahead = _valid(Relay.SUSPEND);
        ahead.nonce += 1;
        bytes memory signatureAhead = _sign(ahead);
        _cancel(controller, statusKey, held.nonce + 2);
        _expectInvalidNonce(held, held.nonce + 2);
        _send(held, signature);
        _expectInvalidNonce(ahead, held.nonce + 2);
        _send(ahead, signatureAhead);
        RelayedCall memory fresh = _valid(Relay.SUSPEND);
        _send(fresh, _sign(fresh));
        _expectDone(fresh);
        _audit();
    }

    /// What is signed from the new nonce on was not cancelled.
    function test_cancelNonces_leavesTheNextOne() public {
        RelayedCall memory ahead = _valid(Relay.SUSPEND);
        ahead.nonce += 1;
        bytes memory signature = _sign(ahead);
        _cancel(statusKey, statusKey, ahead.nonce);
        _send(ahead, signature);
        _audit();
    }

    function test_cancelNonces_again() public {
        _cancel(statusKey, statusKey, 2);
        _cancel(controller, statusKey, 3);
        _cancel(statusKey, statusKey, 10);
        vm.assertEq(registry.nonceOf(statusKey), 10);
        _audit();
    }

    function test_cancelNonces_ofAnchorKey() public {
        _cancel(anchorKey, anchorKey, 1);
        vm.assertEq(registry.nonceOf(anchorKey), 1);
        _audit();
    }

    function test_cancelNonces_byWallet() public {
        Wallet wallet = new Wallet(newKey);
        _addKey(controller, _consent(ISSUER, address(wallet), SCOPE_STATUS, 0), NEW_PK);
        _cancel(address(wallet), address(wallet), 1);
        vm.assertEq(registry.nonceOf(address(wallet)), 1);
        _audit();
    }

    /// Also when the key cannot do anything any more, and its issuer is withdrawn.
    function test_cancelNonces_goesOnAfterTheEnd() public {
        _withdraw(ISSUER, START + 1);
        _compromiseKey(controller, statusKey, START);
        vm.warp(START + 2);
        _cancel(controller, statusKey, 2);
        _cancel(statusKey, statusKey, 3);
        vm.assertEq(registry.nonceOf(statusKey), 3);
        _audit();
    }

    function test_cancelNonces_byTheControllerOfTheDay() public {
        vm.prank(controller);
        registry.transferController(ISSUER, stranger);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, stranger));
        _cancel(stranger, statusKey, 2);
        vm.prank(stranger);
        registry.acceptController(ISSUER);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, controller));
        _cancel(controller, statusKey, 2);
        _cancel(stranger, statusKey, 2);
        _audit();
    }

    function test_cancelNonces_revertsWithNotController() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        address[7] memory others = [stranger, admin, accreditor, otherController, otherStatusKey, anchorKey, newKey];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, others[i]));
            _cancel(others[i], statusKey, 2);
        }
        vm.assertEq(registry.nonceOf(statusKey), 1);
    }

    /// Not even by itself: what is no key has no issuer whose history would tell of it.
    function test_cancelNonces_revertsWithUnknownKey() public {
        address[3] memory callers = [stranger, controller, accreditor];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownKey.selector, stranger));
            _cancel(callers[i], stranger, 1);
        }
    }

    function test_cancelNonces_revertsWithNonceOutOfRangeThatChangesNothing() public {
        _cancel(statusKey, statusKey, 5);
        for (uint256 nonce = 0; nonce <= 5; ++nonce) {
            _expectOutOfRange(nonce, 5);
            _cancel(statusKey, statusKey, nonce);
        }
    }

    function test_cancelNonces_takesAsManyAsAllowed() public {
        _cancel(controller, statusKey, 1 + MAX_CANCELLED_NONCES);
        vm.assertEq(registry.nonceOf(statusKey), 1 + MAX_CANCELLED_NONCES);
        _audit();
    }

    function test_cancelNonces_revertsWithNonceOutOfRangeJustAbove() public {
        vm.assertEq(MAX_CANCELLED_NONCES, 1024);
        _expectOutOfRange(1026, 1);
        _cancel(controller, statusKey, 1026);
    }

    function test_fuzz_cancelNonces_takesExactlyTheRange(uint256 next, uint256 nonce, bool near) public {
        if (near) {
            next %= 1e30;
            nonce = next + nonce % 2048;
        }
        _setNonce(statusKey, next);
        bool good = nonce > next && nonce - next <= 1024;
        if (!good) _expectOutOfRange(nonce, next);
        _cancel(statusKey, statusKey, nonce);
        vm.assertEq(registry.nonceOf(statusKey), good ? nonce : next);
    }

    function _cancel(address who, address key, uint256 nonce) private {
        vm.prank(who);
        registry.cancelNonces(key, nonce);
    }

    function _expectCancelled(address key, uint256 nonce, address actor) private returns (bytes32 head) {
        bytes32 topic = keccak256("NoncesCancelled(uint32,address,uint256,address,uint40,bytes32)");
        head = _headAfter(ISSUER, keccak256(abi.encode(topic, ISSUER, key, nonce, actor, START)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.NoncesCancelled(ISSUER, key, nonce, actor, START, head);
    }

    function _expectOutOfRange(uint256 nonce, uint256 next) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NonceOutOfRange.selector, statusKey, nonce, next));
    }
}
