// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";

import {CredentialRegistry} from "../src/CredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract DeployTest is RegistryTest {
    function test_constructor_givesRoles() public {
        CredentialRegistry fresh = new CredentialRegistry(admin, accreditor, 1 days);
        vm.assertEq(fresh.defaultAdmin(), admin);
        vm.assertEq(fresh.defaultAdminDelay(), 1 days);
        vm.assertTrue(fresh.hasRole(fresh.ACCREDITOR_ROLE(), accreditor));
        vm.assertFalse(fresh.hasRole(fresh.ACCREDITOR_ROLE(), admin));
        vm.assertEq(fresh.getRoleAdmin(fresh.ACCREDITOR_ROLE()), fresh.DEFAULT_ADMIN_ROLE());
    }

    /// The first two events of the history, admin and accreditor, are in the head already: see the tests of roles.
    function test_constructor_startsRegistryHead() public {
        CredentialRegistry fresh = new CredentialRegistry(admin, accreditor, 0);
        bytes32 head = keccak256(abi.encode("credanchor/registry-head/v1", block.chainid, address(fresh)));
        head = keccak256(abi.encode(head, _roleGranted(fresh.DEFAULT_ADMIN_ROLE(), admin)));
        head = keccak256(abi.encode(head, _roleGranted(fresh.ACCREDITOR_ROLE(), accreditor)));
        vm.assertEq(fresh.registryHead(), head);
        vm.assertEq(fresh.issuerCount(), 0);
    }

    /// What docs/adr/0006-one-code-hash.md promises.
    function test_constructor_sameCodeWhateverArgumentsAndChain() public {
        bytes32 codeHash = address(registry).codehash;
        vm.chainId(10);
        CredentialRegistry other = new CredentialRegistry(stranger, controller, 7 days);
        vm.assertEq(address(other).codehash, codeHash);
    }

    function test_constructor_revertsWithInvalidAccreditor() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidAccreditor.selector, address(0)));
        new CredentialRegistry(admin, address(0), 1 days);
    }

    function test_constructor_revertsWithInvalidDefaultAdmin() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0)
            )
        );
        new CredentialRegistry(address(0), accreditor, 1 days);
    }

    function test_constructor_takesAnAdminWhoAccredits() public {
        CredentialRegistry fresh = new CredentialRegistry(admin, admin, type(uint48).max);
        vm.assertTrue(fresh.hasRole(fresh.ACCREDITOR_ROLE(), admin));
        vm.assertEq(fresh.defaultAdmin(), admin);
        vm.assertEq(fresh.defaultAdminDelay(), type(uint48).max);
    }

    function test_eip712Domain_isTheOneThatKeysSign() public {
        vm.chainId(10);
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = registry.eip712Domain();
        vm.assertEq(bytes32(fields), bytes32(bytes1(0x0f)));
        vm.assertEq(name, "credanchor");
        vm.assertEq(version, "1");
        vm.assertEq(chainId, 10);
        vm.assertEq(verifyingContract, address(registry));
        vm.assertEq(salt, bytes32(0));
        vm.assertEq(extensions.length, 0);
    }

    function _roleGranted(bytes32 role, address account) private view returns (bytes32) {
        bytes32 topic = keccak256("RoleChanged(bytes32,address,bool,address,uint40,bytes32)");
        return keccak256(abi.encode(topic, role, account, true, address(this), START));
    }
}
