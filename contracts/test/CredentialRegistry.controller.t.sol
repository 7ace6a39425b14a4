// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract ControllerTest is RegistryTest {
    address private immutable _heir = vm.addr(0xc3);

    /* OFFER */

    function test_transferController_offersAndKeepsControl() public {
        vm.warp(START + 4);
        bytes32 registryHead = registry.registryHead();
        bytes32 head = _expectStarted(_heir);
        _offer(controller, _heir);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        vm.assertEq(registry.pendingControllerOf(ISSUER), _heir);
        vm.assertEq(registry.pendingControllerOf(OTHER_ISSUER), address(0));
        vm.assertEq(registry.issuerOf(ISSUER).controller, controller);
        _retireKey(controller, anchorKey);
        _audit();
    }

    function test_transferController_toAnotherReplacesTheOffer() public {
        _offer(controller, _heir);
        bytes32 head = _expectStarted(stranger);
        _offer(controller, stranger);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.pendingControllerOf(ISSUER), stranger);
        _expectNotPending(_heir);
        _accept(_heir);
        _accept(stranger);
        vm.assertEq(registry.issuerOf(ISSUER).controller, stranger);
        _audit();
    }

    function test_transferController_toZeroTakesTheOfferBack() public {
        _offer(controller, _heir);
        bytes32 head = _expectStarted(address(0));
        _offer(controller, address(0));
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.pendingControllerOf(ISSUER), address(0));
        _expectNotPending(_heir);
        _accept(_heir);
        _audit();
    }

    function test_fuzz_transferController_offersToAnybodyElse(address heir) public {
        vm.assume(heir != controller && heir != address(0));
        _offer(controller, heir);
        vm.assertEq(registry.pendingControllerOf(ISSUER), heir);
        _accept(heir);
        vm.assertEq(registry.issuerOf(ISSUER).controller, heir);
        _audit();
    }

    /// Whoever is offered one issuer keeps what he has: one institution may take over another.
    function test_transferController_toControllerOfAnotherIssuer() public {
        _offer(controller, otherController);
        _accept(otherController);
        vm.assertEq(registry.issuerOf(ISSUER).controller, otherController);
        vm.assertEq(registry.issuerOf(OTHER_ISSUER).controller, otherController);
        _retireKey(otherController, anchorKey);
        _retireKey(otherController, otherAnchorKey);
        _audit();
    }

    function test_transferController_revertsWithUnknownIssuer() public {
        uint32[3] memory unknown = [uint32(0), 3, type(uint32).max];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]));
            vm.prank(controller);
            registry.transferController(unknown[i], _heir);
        }
    }

    function test_transferController_revertsWithNotController() public {
        _offer(controller, _heir);
        address[7] memory others = [admin, accreditor, otherController, anchorKey, statusKey, stranger, _heir];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectNotController(others[i]);
            _offer(others[i], address(0));
        }
    }

    function test_fuzz_transferController_revertsWithNotController(address other, address heir) public {
        vm.assume(other != controller);
        _expectNotController(other);
        _offer(other, heir);
    }

    function test_transferController_revertsWithAlreadyController() public {
        bytes memory error = abi.encodeWithSelector(IRegistryErrors.AlreadyController.selector, ISSUER, controller);
        vm.expectRevert(error);
        _offer(controller, controller);
        _offer(controller, _heir);
        vm.expectRevert(error);
        _offer(controller, controller);
    }

    function test_transferController_revertsWithControllerOfferUnchanged() public {
        _expectUnchanged(address(0));
        _offer(controller, address(0));
        _offer(controller, _heir);
        _expectUnchanged(_heir);
        _offer(controller, _heir);
        _offer(controller, address(0));
        _expectUnchanged(address(0));
        _offer(controller, address(0));
    }

    /* ACCEPTANCE */

    function test_acceptController_givesControl() public {
        _offer(controller, _heir);
        vm.warp(START + 4);
        bytes32 registryHead = registry.registryHead();
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("ControllerTransferred(uint32,address,address,uint40,bytes32)"),
                ISSUER,
                _heir,
                _heir,
                START + 4
            )
        );
        bytes32 head = _headAfter(ISSUER, eventHash);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.ControllerTransferred(ISSUER, _heir, _heir, START + 4, head);
        _accept(_heir);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        vm.assertEq(registry.issuerOf(ISSUER).controller, _heir);
        vm.assertEq(registry.pendingControllerOf(ISSUER), address(0));
        vm.assertEq(registry.issuerOf(OTHER_ISSUER).controller, otherController);
        _audit();
    }

    function test_acceptController_movesEveryPower() public {
        _handOver();
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        _expectNotController(controller);
        _addKey(controller, consent, NEW_PK);
        _addKey(_heir, consent, NEW_PK);
        _expectNotController(controller);
        _retireKey(controller, newKey);
        _retireKey(_heir, newKey);
        _expectNotController(controller);
        _compromiseKey(controller, anchorKey, START);
        _compromiseKey(_heir, anchorKey, START);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, controller));
        vm.prank(controller);
        registry.cancelNonces(statusKey, 1);
        vm.prank(_heir);
        registry.cancelNonces(statusKey, 1);
        _expectNotController(controller);
        _offer(controller, stranger);
        _offer(_heir, stranger);
        _audit();
    }

    function test_acceptController_leavesTheRestOfTheIssuer() public {
        _withdraw(ISSUER, START + 100);
        _compromiseKey(controller, statusKey, START);
        ICredentialRegistry.Issuer memory before = registry.issuerOf(ISSUER);
        _handOver();
        ICredentialRegistry.Issuer memory record = registry.issuerOf(ISSUER);
        vm.assertEq(record.accreditedAt, before.accreditedAt);
        vm.assertEq(record.withdrawnAt, START + 100);
        vm.assertEq(record.statusEpoch, 1);
        vm.assertEq(record.didHash, before.didHash);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 2);
        _audit();
    }

    /// The offer shares a storage word with the next status epoch.
    function test_acceptController_ofOfferFromBeforeAnEpochChanged() public {
        _offer(controller, _heir);
        _compromiseKey(controller, statusKey, START);
        vm.assertEq(registry.pendingControllerOf(ISSUER), _heir);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 2);
        _accept(_heir);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 2);
        _audit();
    }

    function test_acceptController_thereAndBack() public {
        _handOver();
        _offer(_heir, controller);
        _accept(controller);
        vm.assertEq(registry.issuerOf(ISSUER).controller, controller);
        _expectNotController(_heir);
        _retireKey(_heir, anchorKey);
        _audit();
    }

    function test_acceptController_revertsWithUnknownIssuer() public {
        uint32[3] memory unknown = [uint32(0), 3, type(uint32).max];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]));
            vm.prank(_heir);
            registry.acceptController(unknown[i]);
        }
    }

    /// For want of an issuer, not of an offer: the empty record offers to the zero address, as which nodes simulate calls.
    function test_acceptController_revertsWithUnknownIssuerForNobody() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, 3));
        vm.prank(address(0));
        registry.acceptController(3);
    }

    function test_acceptController_revertsWithNotPendingController() public {
        vm.prank(otherController);
        registry.transferController(OTHER_ISSUER, stranger);
        _offer(controller, _heir);
        address[7] memory others = [admin, accreditor, controller, otherController, anchorKey, statusKey, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectNotPending(others[i]);
            _accept(others[i]);
        }
    }

    function test_fuzz_acceptController_revertsWithNotPendingController(address other) public {
        vm.assume(other != _heir);
        _offer(controller, _heir);
        _expectNotPending(other);
        _accept(other);
        vm.assertEq(registry.issuerOf(ISSUER).controller, controller);
    }

    function test_acceptController_revertsWithNotPendingControllerWithoutOffer() public {
        _expectNotPending(_heir);
        _accept(_heir);
        _handOver();
        // Once only.
        _expectNotPending(_heir);
        _accept(_heir);
    }

    function _offer(address who, address heir) private {
        vm.prank(who);
        registry.transferController(ISSUER, heir);
    }

    function _accept(address who) private {
        vm.prank(who);
        registry.acceptController(ISSUER);
    }

    function _handOver() private {
        _offer(controller, _heir);
        _accept(_heir);
    }

    function _expectStarted(address heir) private returns (bytes32 head) {
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("ControllerTransferStarted(uint32,address,address,uint40,bytes32)"),
                ISSUER,
                heir,
                controller,
                _now()
            )
        );
        head = _headAfter(ISSUER, eventHash);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.ControllerTransferStarted(ISSUER, heir, controller, _now(), head);
    }

    function _expectNotController(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, who));
    }

    function _expectUnchanged(address heir) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ControllerOfferUnchanged.selector, ISSUER, heir));
    }

    function _expectNotPending(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotPendingController.selector, ISSUER, who));
    }
}
