// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {ICredentialRegistry, MAX_DID_LENGTH} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract AccreditTest is RegistryTest {
    string private constant _NEW_DID = "did:web:polytechnic.example";

    function test_accredit_storesIssuer() public {
        vm.warp(START + 5);
        uint32 issuer = _accredit(_NEW_DID, stranger);
        vm.assertEq(issuer, 3);
        ICredentialRegistry.Issuer memory record = registry.issuerOf(issuer);
        vm.assertEq(record.controller, stranger);
        vm.assertEq(record.accreditedAt, START + 5);
        vm.assertEq(record.withdrawnAt, 0);
        vm.assertEq(record.statusEpoch, 0);
        vm.assertEq(record.didHash, keccak256(bytes(_NEW_DID)));
        vm.assertEq(registry.issuerOfDid(keccak256(bytes(_NEW_DID))), issuer);
        vm.assertEq(registry.issuerCount(), 3);
        _audit();
    }

    function test_accredit_emitsIssuerAccreditedWithHeads() public {
        bytes32 didHash = keccak256(bytes(_NEW_DID));
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("IssuerAccredited(uint32,bytes32,string,address,address,uint40,bytes32,bytes32)"),
                uint32(3),
                didHash,
                _NEW_DID,
                stranger,
                accreditor,
                START
            )
        );
        bytes32 first = keccak256(abi.encode("credanchor/head/v1", block.chainid, address(registry), uint32(3)));
        bytes32 head = keccak256(abi.encode(first, eventHash));
        bytes32 registryHead = keccak256(abi.encode(registry.registryHead(), eventHash));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.IssuerAccredited(3, didHash, _NEW_DID, stranger, accreditor, START, head, registryHead);
        _accredit(_NEW_DID, stranger);
        vm.assertEq(_headOf(3), head);
        vm.assertEq(registry.registryHead(), registryHead);
    }

    function test_accredit_leavesOtherHeadsAlone() public {
        bytes32 head = _headOf(ISSUER);
        _accredit(_NEW_DID, stranger);
        vm.assertEq(_headOf(ISSUER), head);
    }

    function test_accredit_takesLongestDid() public {
        bytes memory did = _didOfLength(MAX_DID_LENGTH);
        vm.assertEq(_accredit(string(did), stranger), 3);
        _audit();
    }

    function test_fuzz_accredit_numbersIssuersInOrder(bytes32[8] calldata names) public {
        uint32 expected = 2;
        for (uint256 i = 0; i < names.length; ++i) {
            string memory did = string(abi.encodePacked("did:", names[i]));
            if (registry.issuerOfDid(keccak256(bytes(did))) != 0) continue;
            vm.assertEq(_accredit(did, controller), ++expected);
        }
        vm.assertEq(registry.issuerCount(), expected);
        _audit();
    }

    function test_accredit_revertsWithUnauthorizedAccount() public {
        bytes32 role = registry.ACCREDITOR_ROLE();
        address[3] memory others = [admin, controller, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], role)
            );
            vm.prank(others[i]);
            registry.accredit(_NEW_DID, controller);
        }
    }

    function test_fuzz_accredit_revertsWithUnauthorizedAccount(address other) public {
        vm.assume(other != accreditor);
        bytes32 role = registry.ACCREDITOR_ROLE();
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, other, role));
        vm.prank(other);
        registry.accredit(_NEW_DID, controller);
    }

    /// The shortest DID is the scheme alone: what is a good DID is for the accreditor to say.
    function test_accredit_takesShortestDid() public {
        vm.assertEq(_accredit("did:", stranger), 3);
        _audit();
    }

    function test_accredit_revertsWithInvalidDid() public {
        string[6] memory wrong = ["", "did", "DID:web:a.example", " did:web:a.example", "http://a.example", "dido:web"];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidDid.selector, wrong[i]));
            _accredit(wrong[i], controller);
        }
    }

    function test_accredit_revertsWithDidTooLong() public {
        string memory did = string(_didOfLength(MAX_DID_LENGTH + 1));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.DidTooLong.selector, 1025, 1024));
        _accredit(did, controller);
    }

    function test_accredit_revertsWithInvalidController() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidController.selector, address(0)));
        _accredit(_NEW_DID, address(0));
    }

    /// A clone of an institution's DID never becomes a second issuer.
    function test_accredit_revertsWithDidAlreadyAccredited() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.DidAlreadyAccredited.selector, keccak256(bytes(DID)), ISSUER)
        );
        _accredit(DID, stranger);
    }

    /// Nor does one whose accreditation ended: its number and its history stay with its DID.
    function test_accredit_revertsWithDidAlreadyAccreditedAfterWithdrawal() public {
        _withdraw(ISSUER, 0);
        vm.warp(START + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.DidAlreadyAccredited.selector, keccak256(bytes(DID)), ISSUER)
        );
        _accredit(DID, controller);
        _audit();
    }

    /// One controller may have several issuers.
    function test_accredit_takesControllerOfAnother() public {
        uint32 issuer = _accredit(_NEW_DID, controller);
        vm.assertEq(registry.issuerOf(issuer).controller, controller);
        vm.assertEq(registry.pendingControllerOf(issuer), address(0));
        vm.assertEq(registry.nextStatusEpochOf(issuer), 1);
        _audit();
    }

    function test_issuerOf_isZeroForNone() public view {
        ICredentialRegistry.Issuer memory none;
        vm.assertEq(keccak256(abi.encode(registry.issuerOf(0))), keccak256(abi.encode(none)));
        vm.assertEq(keccak256(abi.encode(registry.issuerOf(3))), keccak256(abi.encode(none)));
        vm.assertEq(registry.issuerOfDid(keccak256("did:web:nobody.example")), 0);
    }

    function _didOfLength(uint256 length) private pure returns (bytes memory did) {
        did = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            did[i] = "a";
        }
        (did[0], did[1], did[2], did[3]) = ("d", "i", "d", ":");
    }
}
