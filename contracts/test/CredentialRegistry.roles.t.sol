// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";

import {ICredentialRegistry} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {Vm, vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @title OpenZeppelin's roles, with every change in the registry-wide head
contract RolesTest is RegistryTest {
    bytes32 private constant _ADMIN = 0;
    bytes32 private constant _ACCREDITOR = keccak256("credanchor/role/accreditor");
    bytes32 private constant _CHANGED = keccak256("RoleChanged(bytes32,address,bool,address,uint40,bytes32)");
    uint48 private constant _DELAY = 1 days;

    IAccessControlDefaultAdminRules private _roles;

    function setUp() public override {
        super.setUp();
        _roles = IAccessControlDefaultAdminRules(address(registry));
    }

    /* DEPLOYMENT */

    /// The history starts with who governs the registry; whoever deployed it is named.
    function test_fuzz_constructor_recordsRolesFirst(address first, address second) public {
        vm.assume(first != address(0) && second != address(0));
        vm.getRecordedLogs();
        address fresh = vm.deployCode("CredentialRegistry.sol:CredentialRegistry", abi.encode(first, second, _DELAY));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 4);
        bytes32 head = keccak256(abi.encode("credanchor/registry-head/v1", block.chainid, fresh));
        head = keccak256(abi.encode(head, _changedHash(_ADMIN, first, true, address(this))));
        _assertGranted(logs[0], _ADMIN, first);
        _assertChanged(logs[1], _ADMIN, first, head);
        head = keccak256(abi.encode(head, _changedHash(_ACCREDITOR, second, true, address(this))));
        _assertGranted(logs[2], _ACCREDITOR, second);
        _assertChanged(logs[3], _ACCREDITOR, second, head);
        vm.assertEq(ICredentialRegistry(fresh).registryHead(), head);
    }

    function test_accreditorRole_isItsName() public view {
        vm.assertEq(registry.ACCREDITOR_ROLE(), _ACCREDITOR);
    }

    /* GRANT, REVOKE, RENOUNCE */

    function test_fuzz_grantRole_recordsAnyRole(bytes32 role, address account, uint32 later) public {
        vm.assume(role != _ADMIN && !_roles.hasRole(role, account));
        vm.warp(uint256(START) + later);
        bytes32 head = _expectRole(role, account, true, admin, registry.registryHead());
        vm.prank(admin);
        _roles.grantRole(role, account);
        vm.assertEq(registry.registryHead(), head);
        vm.assertTrue(_roles.hasRole(role, account));
        _audit();
    }

    function test_grantRole_letsAnotherAccredit() public {
        vm.prank(admin);
        _roles.grantRole(_ACCREDITOR, stranger);
        vm.prank(stranger);
        vm.assertEq(registry.accredit("did:web:third.example", controller), 3);
        _audit();
    }

    /// Nobody's history grows by what changes nothing.
    function test_grantRole_ofWhatIsGrantedRecordsNothing() public {
        _audit();
        bytes32 head = registry.registryHead();
        vm.prank(admin);
        _roles.grantRole(_ACCREDITOR, accreditor);
        _assertSilent(head);
    }

    function test_revokeRole_recordsIt() public {
        vm.warp(START + 9);
        bytes32 head = _expectRole(_ACCREDITOR, accreditor, false, admin, registry.registryHead());
        vm.prank(admin);
        _roles.revokeRole(_ACCREDITOR, accreditor);
        vm.assertEq(registry.registryHead(), head);
        vm.assertFalse(_roles.hasRole(_ACCREDITOR, accreditor));
        _audit();
    }

    function test_revokeRole_endsAccreditingAndWithdrawing() public {
        vm.prank(admin);
        _roles.revokeRole(_ACCREDITOR, accreditor);
        _expectUnauthorized(accreditor, _ACCREDITOR);
        _accredit("did:web:third.example", controller);
        _expectUnauthorized(accreditor, _ACCREDITOR);
        _withdraw(ISSUER, START + 10);
        _audit();
    }

    function test_revokeRole_ofWhatIsNotGrantedRecordsNothing() public {
        _audit();
        bytes32 head = registry.registryHead();
        vm.prank(admin);
        _roles.revokeRole(_ACCREDITOR, stranger);
        _assertSilent(head);
    }

    function test_renounceRole_recordsItsHolderAsActor() public {
        vm.warp(START + 9);
        bytes32 head = _expectRole(_ACCREDITOR, accreditor, false, accreditor, registry.registryHead());
        vm.prank(accreditor);
        _roles.renounceRole(_ACCREDITOR, accreditor);
        vm.assertEq(registry.registryHead(), head);
        _expectUnauthorized(accreditor, _ACCREDITOR);
        _accredit("did:web:third.example", controller);
        _audit();
    }

    function test_renounceRole_ofNoHolderRecordsNothing() public {
        _audit();
        bytes32 head = registry.registryHead();
        bytes32[2] memory roles = [_ACCREDITOR, _ADMIN];
        for (uint256 i = 0; i < roles.length; ++i) {
            vm.prank(stranger);
            _roles.renounceRole(roles[i], stranger);
        }
        _assertSilent(head);
        vm.assertEq(_roles.defaultAdmin(), admin);
    }

    function test_role_comesAndGoes() public {
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(admin);
            _roles.grantRole(_ACCREDITOR, stranger);
            vm.prank(admin);
            _roles.revokeRole(_ACCREDITOR, stranger);
            _audit();
        }
    }

    function test_fuzz_role_revertsWithUnauthorizedAccount(address other, bytes32 role) public {
        vm.assume(other != admin && role != _ADMIN);
        _expectUnauthorized(other, _ADMIN);
        vm.prank(other);
        _roles.grantRole(role, other);
        _expectUnauthorized(other, _ADMIN);
        vm.prank(other);
        _roles.revokeRole(role, accreditor);
    }

    /// Accreditors govern issuers, not each other.
    function test_role_revertsWithUnauthorizedAccountOfAccreditor() public {
        _expectUnauthorized(accreditor, _ADMIN);
        vm.prank(accreditor);
        _roles.grantRole(_ACCREDITOR, stranger);
    }

    function test_renounceRole_revertsWithBadConfirmation() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlBadConfirmation.selector));
        vm.prank(admin);
        _roles.renounceRole(_ACCREDITOR, accreditor);
    }

    function test_role_revertsWithEnforcedDefaultAdminRules() public {
        bytes memory error =
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector);
        vm.expectRevert(error);
        vm.prank(admin);
        _roles.grantRole(_ADMIN, stranger);
        vm.expectRevert(error);
        vm.prank(admin);
        _roles.revokeRole(_ADMIN, admin);
    }

    /* DEFAULT ADMIN */

    /// Of the two steps only the second changes who has the role: one for the old, one for the new.
    function test_defaultAdmin_transferIsRecordedWhenAccepted() public {
        bytes32 head = registry.registryHead();
        vm.expectEmit(true, true, true, true, address(registry));
        emit IAccessControlDefaultAdminRules.DefaultAdminTransferScheduled(stranger, START + _DELAY);
        _offerAdmin(stranger);
        vm.assertEq(registry.registryHead(), head);
        vm.warp(START + _DELAY + 1);
        head = _expectRole(_ADMIN, admin, false, stranger, head);
        head = _expectRole(_ADMIN, stranger, true, stranger, head);
        vm.prank(stranger);
        _roles.acceptDefaultAdminTransfer();
        vm.assertEq(registry.registryHead(), head);
        vm.assertEq(_roles.defaultAdmin(), stranger);
        vm.assertFalse(_roles.hasRole(_ADMIN, admin));
        _expectUnauthorized(admin, _ADMIN);
        vm.prank(admin);
        _roles.grantRole(_ACCREDITOR, admin);
        vm.prank(stranger);
        _roles.grantRole(_ACCREDITOR, admin);
        _audit();
    }

    function test_defaultAdmin_offeredToHimselfIsRecordedToo() public {
        _offerAdmin(admin);
        vm.warp(START + _DELAY + 1);
        bytes32 head = _expectRole(_ADMIN, admin, false, admin, registry.registryHead());
        head = _expectRole(_ADMIN, admin, true, admin, head);
        vm.prank(admin);
        _roles.acceptDefaultAdminTransfer();
        vm.assertEq(registry.registryHead(), head);
        vm.assertEq(_roles.defaultAdmin(), admin);
        _audit();
    }

    function test_defaultAdmin_revertsWithEnforcedDelay() public {
        _offerAdmin(stranger);
        uint48[3] memory early = [START, START + _DELAY - 1, START + _DELAY];
        for (uint256 i = 0; i < early.length; ++i) {
            vm.warp(early[i]);
            _expectDelay(START + _DELAY);
            vm.prank(stranger);
            _roles.acceptDefaultAdminTransfer();
        }
        vm.warp(START + _DELAY + 1);
        vm.prank(stranger);
        _roles.acceptDefaultAdminTransfer();
        _audit();
    }

    function test_fuzz_defaultAdmin_revertsWithInvalidDefaultAdmin(address other) public {
        vm.assume(other != stranger);
        _offerAdmin(stranger);
        vm.warp(START + _DELAY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, other)
        );
        vm.prank(other);
        _roles.acceptDefaultAdminTransfer();
    }

    function test_defaultAdmin_cancelledTransferIsNoChange() public {
        bytes32 head = registry.registryHead();
        _offerAdmin(stranger);
        vm.prank(admin);
        _roles.cancelDefaultAdminTransfer();
        vm.warp(START + _DELAY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, stranger)
        );
        vm.prank(stranger);
        _roles.acceptDefaultAdminTransfer();
        vm.assertEq(registry.registryHead(), head);
        _audit();
    }

    function test_fuzz_defaultAdmin_revertsWithUnauthorizedAccount(address other) public {
        vm.assume(other != admin);
        _expectUnauthorized(other, _ADMIN);
        vm.prank(other);
        _roles.beginDefaultAdminTransfer(other);
        _expectUnauthorized(other, _ADMIN);
        vm.prank(other);
        _roles.changeDefaultAdminDelay(0);
    }

    /// A registry may be left to itself; then its history says so.
    function test_defaultAdmin_renouncedIsRecorded() public {
        _offerAdmin(address(0));
        _expectDelay(START + _DELAY);
        vm.prank(admin);
        _roles.renounceRole(_ADMIN, admin);
        vm.warp(START + _DELAY + 1);
        bytes32 head = _expectRole(_ADMIN, admin, false, admin, registry.registryHead());
        vm.prank(admin);
        _roles.renounceRole(_ADMIN, admin);
        vm.assertEq(registry.registryHead(), head);
        vm.assertEq(_roles.defaultAdmin(), address(0));
        _expectUnauthorized(admin, _ADMIN);
        vm.prank(admin);
        _roles.grantRole(_ACCREDITOR, admin);
        // Accreditors stay.
        vm.assertEq(_accredit("did:web:third.example", controller), 3);
        _audit();
    }

    function test_defaultAdmin_delayIsNoRole() public {
        bytes32 head = registry.registryHead();
        vm.prank(admin);
        _roles.changeDefaultAdminDelay(0);
        vm.warp(START + _DELAY + 1);
        vm.assertEq(_roles.defaultAdminDelay(), 0);
        vm.assertEq(registry.registryHead(), head);
        _audit();
    }

    /* HELPERS */

    function _offerAdmin(address heir) private {
        vm.prank(admin);
        _roles.beginDefaultAdminTransfer(heir);
    }

    /// @dev OpenZeppelin's event, then the registry's own. Returns the head after it.
    function _expectRole(bytes32 role, address account, bool granted, address actor, bytes32 before)
        private
        returns (bytes32 head)
    {
        head = keccak256(abi.encode(before, _changedHash(role, account, granted, actor)));
        vm.expectEmit(true, true, true, true, address(registry));
        if (granted) emit IAccessControl.RoleGranted(role, account, actor);
        else emit IAccessControl.RoleRevoked(role, account, actor);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.RoleChanged(role, account, granted, actor, _now(), head);
    }

    function _expectUnauthorized(address who, bytes32 role) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, who, role));
    }

    function _expectDelay(uint48 schedule) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, schedule
            )
        );
    }

    /// @dev Neither an event nor a new head since the last audit.
    function _assertSilent(bytes32 head) private {
        vm.assertEq(vm.getRecordedLogs().length, 0);
        vm.assertEq(registry.registryHead(), head);
    }

    function _changedHash(bytes32 role, address account, bool granted, address actor) private view returns (bytes32) {
        return keccak256(abi.encode(_CHANGED, role, account, granted, actor, _now()));
    }

    function _assertGranted(Vm.Log memory log, bytes32 role, address account) private view {
        vm.assertEq(log.topics[0], IAccessControl.RoleGranted.selector);
        vm.assertEq(log.topics[1], role);
        vm.assertEq(address(uint160(uint256(log.topics[2]))), account);
        vm.assertEq(address(uint160(uint256(log.topics[3]))), address(this));
    }

    function _assertChanged(Vm.Log memory log, bytes32 role, address account, bytes32 head) private view {
        vm.assertEq(log.topics[0], _CHANGED);
        vm.assertEq(log.topics[1], role);
        vm.assertEq(address(uint160(uint256(log.topics[2]))), account);
        vm.assertEq(keccak256(log.data), keccak256(abi.encode(true, address(this), _now(), head)));
    }
}
