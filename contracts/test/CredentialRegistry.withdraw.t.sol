// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {ICredentialRegistry, MAX_REASON, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract WithdrawTest is RegistryTest {
    uint8 private constant _REASON = 6;
    uint40 private constant _LAST = type(uint40).max;

    function test_withdraw_storesEnd() public {
        vm.warp(START + 5);
        _withdraw(ISSUER, START + 100);
        ICredentialRegistry.Issuer memory record = registry.issuerOf(ISSUER);
        vm.assertEq(record.withdrawnAt, START + 100);
        vm.assertEq(record.controller, controller);
        vm.assertEq(record.accreditedAt, START);
        vm.assertEq(record.statusEpoch, 0);
        vm.assertEq(record.didHash, keccak256(bytes(DID)));
        vm.assertEq(registry.issuerOfDid(keccak256(bytes(DID))), ISSUER);
        vm.assertEq(registry.issuerCount(), 2);
        _audit();
    }

    function test_withdraw_emitsAccreditationWithdrawnWithHeads() public {
        vm.warp(START + 5);
        (bytes32 head, bytes32 registryHead) = _expectWithdrawn(START + 100, START + 100);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
        _audit();
    }

    /// Nobody knows when a transaction will be mined: zero is the earliest time allowed, and the event says which it was.
    function test_fuzz_withdraw_takesZeroAsTheNextSecond(uint32 later) public {
        vm.warp(uint256(START) + later);
        (bytes32 head,) = _expectWithdrawn(0, _now() + 1);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, _now() + 1);
        vm.assertEq(_headOf(ISSUER), head);
        _audit();
    }

    function test_withdraw_takesNextSecondAndLastTime() public {
        _withdraw(ISSUER, _LAST);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, _LAST);
        _withdraw(ISSUER, START + 1);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 1);
        _audit();
    }

    function test_withdraw_takesEveryReason() public {
        for (uint8 reason = 1; reason <= MAX_REASON; ++reason) {
            vm.prank(accreditor);
            registry.withdraw(ISSUER, START + 100 - reason, reason);
        }
        _audit();
    }

    function test_withdraw_movesEarlierByASecond() public {
        _withdraw(ISSUER, START + 100);
        _withdraw(ISSUER, START + 99);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 99);
        _audit();
    }

    /// What was anchored in the block of the withdrawal, and before it, was anchored under an accreditation.
    function test_withdraw_endsAnchoringAtItsEndAndNotBefore() public {
        _withdraw(ISSUER, 0);
        _anchor(anchorKey, ISSUER, ROOT, 10);
        for (uint40 at = START + 1; at <= START + 2; ++at) {
            vm.warp(at);
            _expectWithdrawnError();
            _anchor(anchorKey, ISSUER, keccak256("later"), 10);
        }
        vm.assertEq(registry.batchOf(ISSUER, ROOT).anchoredAt, START);
        _audit();
    }

    /// An announced withdrawal changes nothing until its time.
    function test_withdraw_waitsForItsTime() public {
        _withdraw(ISSUER, START + 100);
        vm.warp(START + 99);
        _anchor(anchorKey, ISSUER, ROOT, 10);
        vm.warp(START + 100);
        _expectWithdrawnError();
        _anchor(anchorKey, ISSUER, keccak256("later"), 10);
        _audit();
    }

    /// docs/adr/0013-after-withdrawal.md: the care for what was issued goes on, and so does that for the keys.
    function test_withdraw_leavesTheRestGoing() public {
        _anchor(anchorKey, ISSUER, ROOT, 10);
        _withdraw(ISSUER, 0);
        vm.warp(START + 1);
        vm.prank(statusKey);
        registry.revoke(ISSUER, 0, _words(1), _masks(1), 1);
        vm.prank(statusKey);
        registry.suspend(ISSUER, 0, _words(1), _masks(1), 1);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, 0, _words(1), _masks(1), 1);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, ROOT, 1);
        vm.prank(statusKey);
        registry.cancelNonces(statusKey, 3);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        _retireKey(controller, anchorKey);
        _compromiseKey(controller, statusKey, START + 1);
        vm.prank(controller);
        registry.transferController(ISSUER, stranger);
        vm.prank(stranger);
        registry.acceptController(ISSUER);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 1);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 1);
        _audit();
    }

    function test_withdraw_leavesOtherIssuersAlone() public {
        bytes32 before = keccak256(abi.encode(registry.issuerOf(OTHER_ISSUER)));
        _withdraw(ISSUER, 0);
        vm.warp(START + 1);
        vm.assertEq(keccak256(abi.encode(registry.issuerOf(OTHER_ISSUER))), before);
        _anchor(otherAnchorKey, OTHER_ISSUER, ROOT, 10);
        _audit();
    }

    function test_withdraw_byAnyAccreditor() public {
        bytes32 role = registry.ACCREDITOR_ROLE();
        vm.prank(admin);
        IAccessControl(address(registry)).grantRole(role, stranger);
        vm.prank(stranger);
        registry.withdraw(ISSUER, START + 10, _REASON);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 10);
        _audit();
    }

    function test_withdraw_revertsWithUnauthorizedAccount() public {
        address[7] memory others = [admin, controller, otherController, anchorKey, statusKey, stranger, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectUnauthorized(others[i]);
        }
    }

    function test_fuzz_withdraw_revertsWithUnauthorizedAccount(address other) public {
        vm.assume(other != accreditor);
        _expectUnauthorized(other);
    }

    function test_withdraw_revertsWithUnauthorizedAccountWhenRoleIsRevoked() public {
        bytes32 role = registry.ACCREDITOR_ROLE();
        vm.prank(admin);
        IAccessControl(address(registry)).revokeRole(role, accreditor);
        _expectUnauthorized(accreditor);
    }

    function test_withdraw_revertsWithUnknownIssuer() public {
        uint32[3] memory unknown = [uint32(0), 3, type(uint32).max];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]));
            _withdraw(unknown[i], START + 10);
        }
    }

    function test_fuzz_withdraw_revertsWithInvalidReason(uint8 reason) public {
        vm.assume(reason == 0 || reason > MAX_REASON);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, reason));
        vm.prank(accreditor);
        registry.withdraw(ISSUER, START + 10, reason);
    }

    function test_withdraw_revertsWithInvalidReasonZeroAndNextAfterLast() public {
        uint8[3] memory wrong = [0, MAX_REASON + 1, type(uint8).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, wrong[i]));
            vm.prank(accreditor);
            registry.withdraw(ISSUER, START + 10, wrong[i]);
        }
    }

    /// Never into the past, nor now: what was anchored in this block would lose its ground.
    function test_withdraw_revertsWithWithdrawalInPast() public {
        uint40[3] memory past = [START, START - 1, 1];
        for (uint256 i = 0; i < past.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.WithdrawalInPast.selector, past[i], START));
            _withdraw(ISSUER, past[i]);
        }
    }

    function test_withdraw_revertsWithWithdrawalNotEarlier() public {
        _withdraw(ISSUER, START + 100);
        uint40[3] memory late = [START + 100, START + 101, _LAST];
        for (uint256 i = 0; i < late.length; ++i) {
            _expectNotEarlier(late[i], START + 100);
            _withdraw(ISSUER, late[i]);
        }
    }

    /// Zero is not "at once, whatever stands there": it is a time, and has to be an earlier one.
    function test_withdraw_revertsWithWithdrawalNotEarlierForZero() public {
        _withdraw(ISSUER, 0);
        _expectNotEarlier(START + 1, START + 1);
        _withdraw(ISSUER, 0);
    }

    /// An end that came cannot be moved, neither on nor back.
    function test_withdraw_revertsWithIssuerWithdrawn() public {
        _withdraw(ISSUER, START + 100);
        vm.warp(START + 99);
        _expectNotEarlier(START + 100, START + 100);
        _withdraw(ISSUER, 0);
        for (uint40 at = START + 100; at <= START + 101; ++at) {
            vm.warp(at);
            uint40[4] memory times = [0, START + 99, START + 102, _LAST];
            for (uint256 i = 0; i < times.length; ++i) {
                vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 100));
                _withdraw(ISSUER, times[i]);
            }
        }
    }

    /// The rules once more, in one place, against random times.
    function test_fuzz_withdraw_onlyMovesEarlierAndNeverIntoThePast(uint8[6] calldata steps, uint8[6] calldata times)
        public
    {
        uint40 end = 0;
        for (uint256 i = 0; i < steps.length; ++i) {
            vm.warp(uint256(_now()) + steps[i] % 16);
            uint40 asked = times[i] % 8 == 0 ? 0 : START + times[i] % 100;
            uint40 meant = asked == 0 ? _now() + 1 : asked;
            if (end != 0 && _now() >= end) {
                vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, end));
            } else if (meant <= _now()) {
                vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.WithdrawalInPast.selector, meant, _now()));
            } else if (end != 0 && meant >= end) {
                _expectNotEarlier(meant, end);
            } else {
                end = meant;
            }
            _withdraw(ISSUER, asked);
            vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, end);
        }
        _audit();
    }

    function _expectWithdrawn(uint40 asked, uint40 meant) private returns (bytes32 head, bytes32 registryHead) {
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("AccreditationWithdrawn(uint32,uint40,uint8,address,uint40,bytes32,bytes32)"),
                ISSUER,
                meant,
                _REASON,
                accreditor,
                _now()
            )
        );
        head = _headAfter(ISSUER, eventHash);
        registryHead = _registryHeadAfter(eventHash);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.AccreditationWithdrawn(ISSUER, meant, _REASON, accreditor, _now(), head, registryHead);
        vm.prank(accreditor);
        registry.withdraw(ISSUER, asked, _REASON);
    }

    function _expectUnauthorized(address who) private {
        bytes32 role = keccak256("credanchor/role/accreditor");
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, who, role));
        vm.prank(who);
        registry.withdraw(ISSUER, START + 10, _REASON);
    }

    function _expectNotEarlier(uint40 asked, uint40 current) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.WithdrawalNotEarlier.selector, ISSUER, asked, current));
    }

    function _expectWithdrawnError() private {
        uint40 end = registry.issuerOf(ISSUER).withdrawnAt;
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, end));
    }
}
