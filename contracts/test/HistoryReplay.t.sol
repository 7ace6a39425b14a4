// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";

import {SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @title That the replay takes every event there is, from the deployment's first on
contract HistoryReplayTest is RegistryTest {
    function test_replay_takesOneHistoryOfEverything() public {
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.prank(anchorKey);
        (bool done,) = address(registry).call(abi.encode(keccak256("bare")));
        vm.assertTrue(done);
        vm.warp(START + 10);
        _status();
        vm.prank(controller);
        registry.cancelNonces(statusKey, 1000);
        vm.prank(controller);
        registry.compromiseKey(anchorKey, START);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        _anchor(newKey, ISSUER, ROOT, 1000);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, ROOT, 2);
        _audit();
        vm.warp(START + 20);
        vm.prank(controller);
        registry.retireKey(newKey);
        vm.prank(controller);
        registry.compromiseKey(statusKey, START + 5);
        vm.prank(accreditor);
        registry.withdraw(ISSUER, START + 100, 6);
        vm.prank(accreditor);
        registry.withdraw(ISSUER, 0, 5);
        _handOver();
        _audit();
        vm.assertEq(history.batchCount(), 3);
        vm.assertEq(history.statusCallCount(), 3);
        vm.assertEq(history.batchRevocationCount(), 1);
    }

    function test_replay_takesRoles() public {
        IAccessControlDefaultAdminRules roles = IAccessControlDefaultAdminRules(address(registry));
        bytes32 role = registry.ACCREDITOR_ROLE();
        vm.prank(admin);
        IAccessControl(address(registry)).grantRole(role, stranger);
        vm.prank(stranger);
        IAccessControl(address(registry)).renounceRole(role, stranger);
        vm.prank(admin);
        IAccessControl(address(registry)).revokeRole(role, accreditor);
        vm.prank(admin);
        IAccessControl(address(registry)).grantRole(keccak256("another"), stranger);
        vm.prank(admin);
        roles.changeDefaultAdminDelay(2 days);
        vm.prank(admin);
        roles.rollbackDefaultAdminDelay();
        vm.prank(admin);
        roles.beginDefaultAdminTransfer(stranger);
        vm.prank(admin);
        roles.cancelDefaultAdminTransfer();
        vm.prank(admin);
        roles.beginDefaultAdminTransfer(controller);
        vm.warp(START + 2 days);
        vm.prank(controller);
        roles.acceptDefaultAdminTransfer();
        _audit();
        vm.prank(controller);
        roles.beginDefaultAdminTransfer(address(0));
        vm.warp(START + 4 days);
        vm.prank(controller);
        IAccessControl(address(registry)).renounceRole(0x00, controller);
        _audit();
    }

    function _status() private {
        vm.prank(statusKey);
        registry.revoke(ISSUER, 3, _words(1, 7), _masks(1, 1 << 255), 1);
        vm.prank(statusKey);
        registry.suspend(ISSUER, 3, _words(1, 7), _masks(7, 5), 7);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, 3, _words(7), _masks(4), 4);
    }

    function _handOver() private {
        vm.prank(controller);
        registry.transferController(ISSUER, stranger);
        vm.prank(controller);
        registry.transferController(ISSUER, address(0));
        vm.prank(controller);
        registry.transferController(ISSUER, otherController);
        vm.prank(otherController);
        registry.acceptController(ISSUER);
        _addKey(otherController, _consent(ISSUER, stranger, SCOPE_STATUS, 1), 0xbad);
    }
}
